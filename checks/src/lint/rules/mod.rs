//! The ordered list of all rules, a folder for each family.

mod synapse;

use super::Rule;

/// Every rule, in the order of the pages.
pub static RULES: &[&Rule] = &[&synapse::unrendered::UNRENDERED];

/// The rule of an id, in any case.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id.eq_ignore_ascii_case(id)).copied()
}
