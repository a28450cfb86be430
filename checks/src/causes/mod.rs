//! The table of root causes, one file a family.

mod bridge;
mod canary;
mod conference;
mod configuration;
mod database;
mod dns;
mod element;
mod exposure;
mod federation;
mod ingress;
mod jitsi;
mod kubernetes;
mod kubernetes_parts;
mod manifests;
mod platform;
mod signing;
mod synapse;
mod tls;
mod turn;
mod vantage;
mod workload;

use crate::Cause;

/// All tables.
pub(crate) const TABLES: &[&[Cause]] = &[
    vantage::CAUSES,
    dns::CAUSES,
    tls::CAUSES,
    ingress::CAUSES,
    synapse::CAUSES,
    federation::CAUSES,
    signing::CAUSES,
    element::CAUSES,
    jitsi::CAUSES,
    conference::CAUSES,
    bridge::CAUSES,
    turn::CAUSES,
    canary::CAUSES,
    exposure::CAUSES,
    database::CAUSES,
    configuration::CAUSES,
    kubernetes::CAUSES,
    kubernetes_parts::CAUSES,
    manifests::CAUSES,
    platform::CAUSES,
    workload::CAUSES,
];
