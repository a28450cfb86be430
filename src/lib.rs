//! mxdoctor as a library: configuration, the engine and the command line.
//!
//! The binary is [`cli::main`] and nothing else.

pub mod cli;
pub mod config;
pub mod engine;
pub mod lint;
