//! NP: NetworkPolicies.

mod cuts;
mod dns;
mod flows;
mod items;
mod needed;
mod open;
mod selectors;

#[cfg(test)]
mod tests;

use crate::lint::Rule;

/// The rules of this family.
pub(super) const RULES: &[&Rule] = &[
    &dns::NO_NAMES,
    &needed::CUT,
    &selectors::NOBODY,
    &items::APART,
    &open::UNGUARDED,
    &needed::OPERATOR,
    &needed::API,
    &selectors::NODE,
    &open::WORLD,
    &dns::NO_LONG_NAMES,
];
