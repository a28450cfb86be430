//! The ordered list of all checks.

use crate::{Check, database, dns, element, ingress, jitsi, synapse, tls, vantage};

/// Every check, in the order of reports: from our own side, along a person's way, to the depths.
pub static REGISTRY: &[&Check] = &[
    &vantage::resolver::CHECK,
    &vantage::clock::CHECK,
    &vantage::ipv6::CHECK,
    &dns::address::CHECK,
    &dns::resolvers_agree::CHECK,
    &dns::srv::CHECK,
    &dns::caa::CHECK,
    &dns::dnssec::CHECK,
    &dns::internal_names::CHECK,
    &tls::handshake::CHECK,
    &tls::chain::CHECK,
    &tls::name::CHECK,
    &tls::validity::CHECK,
    &tls::protocol::CHECK,
    &tls::addresses_agree::CHECK,
    &ingress::reachable::CHECK,
    &ingress::http_redirect::CHECK,
    &ingress::http2::CHECK,
    &ingress::hsts::CHECK,
    &ingress::challenge::CHECK,
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
    &jitsi::udp::CHECK,
    &jitsi::ice::CHECK,
    &jitsi::dtls::CHECK,
    &database::connect::CHECK,
    &database::auth::CHECK,
    &database::encoding::CHECK,
    &database::version::CHECK,
    &database::tls::CHECK,
    &database::connections::CHECK,
];

/// The check of that id.
pub fn check(id: &str) -> Option<&'static Check> {
    REGISTRY.iter().copied().find(|check| check.id == id)
}
