//! Which failures explain which others although no fact ties them together.
//!
//! A rule stands for an observation that leaves no other reading, or hardly any; what is merely
//! usual has no place here.

use mxdoctor_model::{CheckReport, Confidence};

use super::Group;

/// One cause explains others.
pub(super) struct Rule {
    /// The deeper cause.
    pub cause: &'static str,
    /// Causes that are its consequences.
    pub explains: &'static [&'static str],
    /// Where the explanation reaches.
    pub scope: Scope,
    /// How sure it is.
    pub confidence: Confidence,
}

/// Where an explanation reaches.
pub(super) enum Scope {
    /// Everywhere in the run.
    Everywhere,
    /// The same host: the part of the instance before a space or slash.
    #[expect(dead_code, reason = "used by rules of single hosts")]
    SameHost,
}

impl Scope {
    /// Whether the entry is in reach of the group.
    pub(super) fn holds(&self, root: &Group, index: usize, checks: &[CheckReport]) -> bool {
        match self {
            Self::Everywhere => true,
            Self::SameHost => {
                let host = host_of(&checks[index]);
                host.is_some() && root.seen_by.iter().any(|&at| host_of(&checks[at]) == host)
            }
        }
    }
}

fn host_of(check: &CheckReport) -> Option<&str> {
    check.instance.as_deref().and_then(|instance| instance.split([' ', '/']).next())
}

/// The rules, deepest cause first.
pub(super) const RULES: &[Rule] = &[];
