//! The `ingress` family: see each file's own page.

pub mod challenge;
pub mod reachable;
mod shared;

pub(crate) use shared::{paths, url};
