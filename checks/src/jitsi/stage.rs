//! What the stages of a call have in common: each needs the one before it.

use mxdoctor_model::{Finding, Outcome};

use crate::Unavailable;

/// Goes on where the stage of `owner` let it; else what comes after is blocked by it.
pub(super) fn need(owner: &'static str, finding: Finding) -> Result<(), Unavailable> {
    match finding.outcome {
        Outcome::Pass | Outcome::Warn => Ok(()),
        Outcome::Fail | Outcome::Error | Outcome::Skip => Err(Unavailable::by(owner, finding)),
    }
}
