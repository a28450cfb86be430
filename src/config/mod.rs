//! What to check and how: flags over `MXDOCTOR_*` over `stack.toml` over discovery.

mod error;
mod file;
mod options;
mod parse;
mod settings;

pub use error::{ConfigError, nearest};
pub use file::File;
pub use options::{Color, FailOn, Options};
pub use settings::{Settings, Setup};
