//! The ordered list of all checks.

use crate::{Check, element, synapse};

/// Every check, in the order of reports: from our own side, along a person's way, to the depths.
pub static REGISTRY: &[&Check] = &[
    &synapse::versions::CHECK,
    &synapse::health::CHECK,
    &synapse::software::CHECK,
    &synapse::well_known_client::CHECK,
    &synapse::cors::CHECK,
    &synapse::login_flows::CHECK,
    &synapse::registration_closed::CHECK,
    &synapse::admin_private::CHECK,
    &synapse::metrics_private::CHECK,
    &element::index::CHECK,
    &element::config::CHECK,
    &element::base_url::CHECK,
    &element::server_name::CHECK,
    &element::jitsi_domain::CHECK,
    &element::version::CHECK,
    &element::headers::CHECK,
    &element::cache::CHECK,
];

/// The check of that id.
pub fn check(id: &str) -> Option<&'static Check> {
    REGISTRY.iter().copied().find(|check| check.id == id)
}
