//! A page of text under construction.

use anstyle::{AnsiColor, Style};
use mxdoctor_model::Outcome;

use super::Look;
use crate::text::{ascii, width, wrap};

/// Longest line of running text: wider ones are hard to follow.
const PROSE: usize = 100;
/// Widest page: further out, the end of a line is out of sight of its beginning.
const PAGE: usize = 120;
/// Columns of a label.
const LABEL: usize = 13;
/// Columns for what stands at the end of a line, with the gap before it.
pub(super) const END: usize = 10;

pub(super) const PLAIN: Style = Style::new();
pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const COMMAND: Style = AnsiColor::Cyan.on_default();

/// The colour of an outcome.
pub(super) fn style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Pass => AnsiColor::Green.on_default(),
        Outcome::Warn => AnsiColor::Yellow.on_default(),
        Outcome::Fail => AnsiColor::Red.on_default().bold(),
        Outcome::Error => AnsiColor::Magenta.on_default(),
        Outcome::Skip => DIM,
    }
}

/// Text that is laid out by display width and painted last.
pub(super) struct Page {
    pub(super) look: Look,
    text: String,
}

impl Page {
    pub(super) fn new(look: Look) -> Self {
        Self { look, text: String::new() }
    }

    /// Columns that are used.
    pub(super) fn columns(&self) -> usize {
        self.look.width.min(PAGE)
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// The sign of an outcome, one column wide.
    pub(super) fn sign(&self, outcome: Outcome) -> &'static str {
        match (outcome, self.look.utf8) {
            (Outcome::Pass, true) => "✔",
            (Outcome::Pass, false) => "+",
            (Outcome::Warn, _) => "!",
            (Outcome::Fail, true) => "✘",
            (Outcome::Fail, false) => "x",
            (Outcome::Error, _) => "?",
            (Outcome::Skip, true) => "–",
            (Outcome::Skip, false) => "-",
        }
    }

    /// Adds to the line.
    pub(super) fn put(&mut self, style: Style, text: &str) {
        let text = if self.look.utf8 { text } else { &ascii(text) };
        if self.look.color && style != PLAIN && !text.trim().is_empty() {
            self.text.push_str(&format!("{style}{text}{style:#}"));
        } else {
            self.text.push_str(text);
        }
    }

    /// Adds columns of nothing.
    pub(super) fn space(&mut self, columns: usize) {
        self.text.extend(std::iter::repeat_n(' ', columns));
    }

    /// Ends the line, without spaces at its end.
    pub(super) fn end(&mut self) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
    }

    /// An empty line, unless there is one or the page begins.
    pub(super) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.end();
        }
    }

    /// A whole line.
    pub(super) fn line(&mut self, style: Style, text: &str) {
        self.put(style, text);
        self.end();
    }

    /// A line across the page that opens a section.
    pub(super) fn section(&mut self, title: &str) {
        let sign = if self.look.utf8 { "─" } else { "-" };
        let columns = self.columns();
        self.end();
        if title.is_empty() {
            return self.line_across(&sign.repeat(columns));
        }
        self.put_raw(DIM, &sign.repeat(2));
        self.put(BOLD, &format!(" {title} "));
        self.line_across(&sign.repeat(columns.saturating_sub(4 + width(title))));
    }

    fn line_across(&mut self, rule: &str) {
        self.put_raw(DIM, rule);
        self.end();
        self.end();
    }

    /// As [`Page::put`], for signs that were already chosen by the locale.
    pub(super) fn put_raw(&mut self, style: Style, text: &str) {
        let utf8 = std::mem::replace(&mut self.look.utf8, true);
        self.put(style, text);
        self.look.utf8 = utf8;
    }

    /// Lines of running text, wrapped, from the column where the line is to that width at most.
    /// The caller has written `column` columns of the first line.
    pub(super) fn prose(&mut self, column: usize, style: Style, lines: &[String]) {
        let columns = self.look.width.min(PROSE).saturating_sub(column).max(20);
        let mut first = true;
        for line in lines {
            // What is set off is to be copied, and stays as it is.
            let kept = line.starts_with("    ");
            let pieces = if kept { vec![line.clone()] } else { wrap(line, columns) };
            for piece in pieces {
                if !std::mem::take(&mut first) {
                    self.space(column);
                }
                self.put(style, &piece);
                self.end();
            }
        }
        if first {
            self.end();
        }
    }

    /// `label  text`, the text wrapped beside its label.
    pub(super) fn field(&mut self, indent: usize, label: &str, style: Style, lines: &[String]) {
        self.space(indent);
        self.put(DIM, label);
        self.space(LABEL.saturating_sub(width(label)));
        self.prose(indent + LABEL, style, lines);
    }

    /// A text in a column of its own, with something dim at the end of the page's first line. The
    /// caller has written `column` columns.
    pub(super) fn beside(&mut self, column: usize, (style, text): (Style, &str), end: &str) {
        let columns = self.columns().saturating_sub(column + END).max(20);
        for (at, piece) in wrap(text, columns).iter().enumerate() {
            if at > 0 {
                self.space(column);
            }
            self.put(style, piece);
            if at == 0 {
                self.space((columns + END).saturating_sub(width(piece) + width(end)).max(2));
                self.put(DIM, end);
            }
            self.end();
        }
    }
}
