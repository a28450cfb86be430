//! All rules, a folder for each family with its own ordered list.

mod certificates;
mod cron;
mod database;
mod element;
mod jitsi;
mod kustomize;
mod network;
mod policies;
mod secrets;
mod storage;
mod synapse;
mod tunnel;
mod workload;

use super::{Rule, reading};

/// The families' lists, in the order of the pages.
const FAMILIES: &[&[&Rule]] = &[
    synapse::RULES,
    secrets::RULES,
    element::RULES,
    jitsi::RULES,
    network::RULES,
    certificates::RULES,
    tunnel::RULES,
    database::RULES,
    storage::RULES,
    workload::RULES,
    policies::RULES,
    cron::RULES,
    kustomize::RULES,
    reading::RULES,
];

/// Every rule, in the order of the pages.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    FAMILIES.iter().flat_map(|family| family.iter().copied())
}

/// The rule of an id, in any case.
pub fn rule(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id.eq_ignore_ascii_case(id))
}
