//! The reports of hand-written runs, as people and machines get them.

mod hostile;
mod json;
mod junit;
mod python;
mod runs;
mod samples;
mod sinks;
mod terminal;
