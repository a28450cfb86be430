//! How the terminal's report looks, and how that is found out.

use std::io::{self, IsTerminal};

/// A choice that can be left to the circumstances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum When {
    /// As the environment and the destination suggest.
    #[default]
    Auto,
    /// In any case.
    Always,
    /// In no case.
    Never,
}

/// What the command line says about the terminal's report.
#[derive(Debug, Clone, Copy, Default)]
pub struct TerminalOptions {
    /// Colours. `Auto` obeys `NO_COLOR`, `CLICOLOR_FORCE` and `CLICOLOR=0`, in this order, and has
    /// them on a terminal that is not `dumb`.
    pub color: When,
    /// The live area on standard error. `Auto` has it on a terminal that is not `dumb`, outside CI.
    pub progress: When,
    /// Columns; none is as many as the terminal has, or `COLUMNS`, or 100.
    pub width: Option<usize>,
    /// Whether signs beyond ASCII can be shown; none is what the locale says.
    pub utf8: Option<bool>,
}

/// The choices once made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Whether to send colours.
    pub color: bool,
    /// Whether signs beyond ASCII can be shown.
    pub utf8: bool,
    /// Columns, 40 at least.
    pub width: usize,
}

const NARROWEST: usize = 40;
const UNKNOWN_WIDTH: usize = 100;

impl TerminalOptions {
    /// The look of a report on standard output, or in a file.
    pub fn look(&self, on_stdout: bool) -> Look {
        let terminal = on_stdout && io::stdout().is_terminal();
        let size = terminal.then(|| terminal_size::terminal_size_of(io::stdout())).flatten();
        self.look_in(env, terminal, size.map(|(columns, _)| usize::from(columns.0)))
    }

    /// Whether to show the live area on standard error.
    pub(crate) fn shows_progress(&self) -> bool {
        let terminal = io::stderr().is_terminal();
        match self.progress {
            When::Always => true,
            When::Never => false,
            When::Auto => terminal && !dumb(env) && env("CI").is_none(),
        }
    }

    fn look_in(
        &self,
        env: impl Fn(&str) -> Option<String> + Copy,
        terminal: bool,
        columns: Option<usize>,
    ) -> Look {
        let color = match self.color {
            When::Always => true,
            When::Never => false,
            When::Auto if env("NO_COLOR").is_some() => false,
            When::Auto if env("CLICOLOR_FORCE").is_some_and(|force| force != "0") => true,
            When::Auto if env("CLICOLOR").is_some_and(|color| color == "0") => false,
            When::Auto => terminal && !dumb(env),
        };
        let width = self
            .width
            .or(columns)
            .or_else(|| env("COLUMNS")?.parse().ok())
            .unwrap_or(UNKNOWN_WIDTH)
            .max(NARROWEST);
        Look { color, utf8: self.utf8.unwrap_or_else(|| locale_is_utf8(env)), width }
    }
}

/// A variable that is set and not empty.
fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn dumb(env: impl Fn(&str) -> Option<String>) -> bool {
    env("TERM").is_some_and(|term| term == "dumb")
}

/// The first of the variables that is set decides (POSIX, chapter 8.2); none is the C locale.
fn locale_is_utf8(env: impl Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(env).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(options: TerminalOptions, variables: &[(&str, &str)], terminal: bool) -> Look {
        let env = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name)?;
            Some(found.1.to_owned())
        };
        options.look_in(env, terminal, terminal.then_some(132))
    }

    #[test]
    fn colour_obeys_the_environment() {
        let auto = TerminalOptions::default();
        assert!(look(auto, &[], true).color);
        assert!(!look(auto, &[], false).color);
        assert!(!look(auto, &[("TERM", "dumb")], true).color);
        assert!(!look(auto, &[("NO_COLOR", "1")], true).color);
        assert!(look(auto, &[("CLICOLOR_FORCE", "1")], false).color);
        assert!(!look(auto, &[("CLICOLOR_FORCE", "0")], false).color);
        assert!(!look(auto, &[("CLICOLOR", "0")], true).color);
        assert!(!look(auto, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], true).color);
        let always = TerminalOptions { color: When::Always, ..auto };
        assert!(look(always, &[("NO_COLOR", "1")], false).color);
        let never = TerminalOptions { color: When::Never, ..auto };
        assert!(!look(never, &[("CLICOLOR_FORCE", "1")], true).color);
    }

    #[test]
    fn width_is_that_of_the_terminal_unless_told() {
        let auto = TerminalOptions::default();
        assert_eq!(look(auto, &[("COLUMNS", "80")], true).width, 132);
        assert_eq!(look(auto, &[("COLUMNS", "80")], false).width, 80);
        assert_eq!(look(auto, &[("COLUMNS", "many")], false).width, 100);
        let told = TerminalOptions { width: Some(3), ..auto };
        assert_eq!(look(told, &[], true).width, 40);
    }

    #[test]
    fn the_locale_decides_the_signs() {
        let auto = TerminalOptions::default();
        assert!(look(auto, &[("LANG", "et_EE.UTF-8")], true).utf8);
        assert!(look(auto, &[("LC_CTYPE", "C.utf8"), ("LANG", "C")], true).utf8);
        assert!(!look(auto, &[("LC_ALL", "C"), ("LANG", "et_EE.UTF-8")], true).utf8);
        assert!(!look(auto, &[], true).utf8);
    }
}
