//! The `ingress` family: see each file's own page.

pub mod challenge;
pub mod client_address;
pub mod escaped_paths;
mod hops;
pub mod hops_agree;
pub mod hsts;
pub mod http2;
pub mod http_redirect;
pub mod long_poll;
mod outside;
pub mod reachable;
mod shared;
pub mod upload_limit;

pub(crate) use shared::{paths, services, url};
