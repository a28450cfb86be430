//! What a check came to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The verdict of one check on one instance, ordered from good to bad.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Not applicable, or something it depends on is not there; the summary says which.
    Skip,
    /// Observed to be as it must be.
    Pass,
    /// Works, and an operator should know about it all the same.
    Warn,
    /// Could not be measured: trouble on our own side, or no time left. Says nothing of the target.
    Error,
    /// The target is wrong.
    Fail,
}

impl Outcome {
    /// The word used in every report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fail => "fail",
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How many checks came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Observed to be as they must be.
    pub pass: usize,
    /// Work, with something to know.
    pub warn: usize,
    /// The target is wrong.
    pub fail: usize,
    /// Could not be measured.
    pub error: usize,
    /// Not applicable or blocked.
    pub skip: usize,
}

impl Summary {
    /// Counts the outcomes.
    pub fn of(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        let mut summary = Self::default();
        for outcome in outcomes {
            match outcome {
                Outcome::Pass => summary.pass += 1,
                Outcome::Warn => summary.warn += 1,
                Outcome::Fail => summary.fail += 1,
                Outcome::Error => summary.error += 1,
                Outcome::Skip => summary.skip += 1,
            }
        }
        summary
    }

    /// All of them.
    pub fn total(&self) -> usize {
        self.pass + self.warn + self.fail + self.error + self.skip
    }
}
