//! The reports of a run: one file per format, all fed by [`mxdoctor_model::Event`].
//!
//! Each format that needs the whole run is a function `render(&Report) -> String`; [`open`] turns
//! what was asked for (`--report FORMAT[=PATH]`) into [`Sink`]s that write to standard output or
//! to files. Nothing here knows a target or an exit code.

mod at_end;
pub mod github;
pub mod json;
pub mod junit;
mod known;
mod ndjson;
mod open;
mod output;
pub mod sarif;
pub mod short;
mod sink;
mod spec;
pub mod terminal;
mod text;
mod verdict;

pub use open::open;
pub use sink::{Sink, SinkError};
pub use spec::{Format, Spec, SpecError};
pub use terminal::{TerminalOptions, When};
