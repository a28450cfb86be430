//! What to check and how: flags over `MXDOCTOR_*` over `stack.toml` over discovery.

mod canary;
mod error;
mod federation;
mod file;
mod jitsi;
mod kubernetes;
mod options;
mod parse;
mod secret;
mod settings;
#[cfg(test)]
mod tests;

pub use error::{ConfigError, nearest};
pub use file::File;
pub use options::{Color, FailOn, Options};
pub use settings::{Settings, Setup};
