//! The `kubernetes` family: the objects of the stack's namespace and what controllers say of them.
//!
//! Each check is the rules of [`crate::lint`] that belong to it, over the live objects, and an
//! opinion on their status.

pub mod certificates;
pub mod configmaps;
pub mod cronjob;
pub mod database;
pub mod endpoints;
pub mod events;
mod footing;
pub mod images;
pub mod jvb_network;
mod log_lines;
pub mod network_policies;
pub mod operators;
pub mod permissions;
mod pod_state;
pub mod pods;
pub mod resources;
pub mod rollouts;
pub mod routes;
pub mod sealed_secrets;
pub mod secrets;
pub mod security;
pub mod services;
mod shared;
#[cfg(test)]
mod tests;
pub mod tunnels;
pub mod volumes;
pub mod workloads;

pub(crate) use endpoints::unserved;
pub(crate) use footing::Footing;
pub(crate) use shared::{View, absent, condition, judge, unseen};
