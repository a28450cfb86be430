//! The live area on standard error.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mxdoctor_model::{CheckReport, Event, Outcome, Summary};

use crate::text::clean_line;

/// What is being checked, how far it is, and how it goes.
pub(super) struct Progress {
    bar: ProgressBar,
    running: Vec<String>,
    outcomes: Vec<(String, Outcome)>,
}

impl Progress {
    /// Draws nothing until the run starts.
    pub(super) fn new(color: bool, utf8: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(12));
        let template = match color {
            true => "{spinner:.cyan} {prefix:.bold} {pos} of {len} · {elapsed}{msg}",
            false => "{spinner} {prefix} {pos} of {len} · {elapsed}{msg}",
        };
        let template = if utf8 { template.to_owned() } else { template.replace('·', "-") };
        let ticks = if utf8 { "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ " } else { "|/-\\ " };
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style.tick_chars(ticks));
        }
        Self { bar, running: Vec::new(), outcomes: Vec::new() }
    }

    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::RunStarted { run, planned, .. } => {
                self.bar.set_length(*planned as u64);
                self.bar.set_prefix(clean_line(&run.target));
                self.bar.reset_elapsed();
                self.bar.enable_steady_tick(Duration::from_millis(100));
            }
            Event::CheckStarted { id, .. } => self.running.push(clean_line(id)),
            Event::CheckFinished { check } => self.note(check),
            Event::CheckEnded { id, .. } => {
                let id = clean_line(id);
                if let Some(at) = self.running.iter().position(|running| *running == id) {
                    self.running.remove(at);
                }
                self.bar.inc(1);
            }
            Event::RunFinished { .. } => return self.bar.finish_and_clear(),
        }
        self.bar.set_message(self.message());
    }

    fn note(&mut self, check: &CheckReport) {
        let key = check.key();
        match self.outcomes.iter_mut().find(|(known, _)| *known == key) {
            Some((_, outcome)) => *outcome = check.outcome,
            None => self.outcomes.push((key, check.outcome)),
        }
    }

    fn message(&self) -> String {
        let sum = Summary::of(self.outcomes.iter().map(|(_, outcome)| *outcome));
        let mut message = String::new();
        for (n, word) in [(sum.fail, "failed"), (sum.error, "not measured"), (sum.warn, "to know")]
        {
            if n > 0 {
                message.push_str(&format!(", {n} {word}"));
            }
        }
        if !self.running.is_empty() {
            message.push_str(&format!("\n  {}", self.running.join(", ")));
        }
        message
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
