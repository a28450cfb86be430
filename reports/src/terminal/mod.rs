//! What an operator looks at: progress while it runs, causes first when it is done.

mod causes;
mod families;
mod groups;
mod lint;
mod options;
mod page;
mod progress;
mod render;
mod sink;

pub use options::{Look, TerminalOptions, When};
pub use render::render;
pub(crate) use sink::Terminal;
