//! SYN: Synapse and its configuration.

pub(super) mod unrendered;
