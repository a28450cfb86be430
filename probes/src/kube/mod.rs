//! A namespace of a Kubernetes cluster, read through its API server and never written to.

mod api;
mod hops;
mod kinds;
mod list;
mod logs;
mod rbac;
mod secrets;
mod snapshot;
#[cfg(test)]
mod tests;

pub use api::{Access, Api, ApiError};
pub use hops::{Hop, HopAnswer};
pub use kinds::{KINDS, Kind, Reach, kind};
pub use logs::{LogError, redact};
pub use rbac::{Right, missing_right, rights, yaml};
pub use secrets::{Agreement, SecretUse};
pub use snapshot::{Listed, Outcome, Snapshot};
