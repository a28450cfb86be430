//! The engine: takes a plan, runs its checks at once under one deadline, emits events.
//!
//! A check's verdict becomes report entries here; what a check could not look at because a fact
//! was missing becomes a skip that names the fact's owner. Whatever happens (a hanging server, the
//! deadline, a signal, a panic in a check), every planned check ends up in the report.

mod entry;
mod plan;
mod redact;
mod run;
mod single;
#[cfg(test)]
mod tests;

pub use plan::{Plan, Planned};
pub use run::{Engine, Interrupt};

pub(crate) use entry::DOCS;
pub(crate) use run::{run_id, tool};
