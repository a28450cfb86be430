//! What happens during a run, in order.

use serde::{Deserialize, Serialize};

use crate::{CheckReport, Report, Run, Tool, Vantage};

/// What report sinks are fed with. Serialised one a line by the `ndjson` report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The first event.
    RunStarted {
        /// Version of the document.
        schema_version: u32,
        /// Who runs.
        tool: Tool,
        /// Which run; its duration is 0 still.
        run: Run,
        /// How many checks will run, each at least one instance.
        planned: usize,
    },
    /// A check began.
    CheckStarted {
        /// `family.name`.
        id: String,
        /// What must be true.
        title: String,
        /// Where it looks from.
        vantage: Vantage,
    },
    /// One instance of a check has its verdict. Comes again for the same key under `--wait`.
    CheckFinished {
        /// The verdict and all that belongs to it.
        check: Box<CheckReport>,
    },
    /// A check and all its instances are through.
    CheckEnded {
        /// `family.name`.
        id: String,
        /// Where it looked from.
        vantage: Vantage,
    },
    /// The last event: the whole report.
    RunFinished {
        /// The whole report.
        report: Box<Report>,
    },
}
