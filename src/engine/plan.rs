//! Which checks run, and from where.

use mxdoctor_checks::{Check, Cx, REGISTRY};
use mxdoctor_probes::Net;

use crate::config::Settings;

/// One check from one vantage.
#[derive(Clone, Copy)]
pub struct Planned {
    /// The check.
    pub check: &'static Check,
    /// Which of [`Plan::contexts`] it runs in.
    pub context: usize,
}

/// What a run does.
pub struct Plan {
    /// One context a vantage.
    pub contexts: Vec<Cx>,
    /// In the order of reports.
    pub checks: Vec<Planned>,
}

impl Plan {
    /// The checks that the settings select, with fresh contexts.
    pub fn new(settings: &Settings) -> Self {
        let mut checks = Vec::new();
        for check in REGISTRY.iter().copied() {
            let chosen = (!settings.selected || settings.only.is_match(check.id))
                && !settings.skip.is_match(check.id);
            for (context, setup) in settings.setups.iter().enumerate() {
                if chosen && check.vantages.contains(&setup.vantage) {
                    checks.push(Planned { check, context });
                }
            }
        }
        Self { contexts: contexts(settings), checks }
    }
}

/// Fresh contexts, which know no fact yet.
pub(super) fn contexts(settings: &Settings) -> Vec<Cx> {
    settings
        .setups
        .iter()
        .map(|setup| Cx::new(setup.vantage, setup.target.clone(), Net::new(setup.net.clone())))
        .collect()
}
