//! The live area on standard error.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mxdoctor_model::{Event, Outcome, Summary, Vantage};

use crate::text::clean_line;

/// What is being checked, how far it is, and how it goes: two lines, redrawn in place.
pub(super) struct Progress {
    bar: ProgressBar,
    separator: &'static str,
    target: String,
    planned: usize,
    running: Vec<String>,
    ended: BTreeSet<(String, Vantage)>,
    outcomes: BTreeMap<String, Outcome>,
}

impl Progress {
    /// Draws nothing until the run starts.
    pub(super) fn new(color: bool, utf8: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(12));
        let template = match color {
            true => "{spinner:.cyan} {prefix} {elapsed}\n  {wide_msg:.dim}",
            false => "{spinner} {prefix} {elapsed}\n  {wide_msg}",
        };
        let (ticks, separator) =
            if utf8 { ("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ", "·") } else { ("|/-\\ ", "-") };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.tick_chars(ticks));
        }
        Self {
            bar,
            separator,
            target: String::new(),
            planned: 0,
            running: Vec::new(),
            ended: BTreeSet::new(),
            outcomes: BTreeMap::new(),
        }
    }

    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::RunStarted { run, planned, .. } => {
                self.target = clean_line(&run.target);
                self.planned = *planned;
                self.bar.reset_elapsed();
                self.bar.enable_steady_tick(Duration::from_millis(100));
            }
            Event::CheckStarted { id, .. } => self.running.push(clean_line(id)),
            Event::CheckFinished { check } => _ = self.outcomes.insert(check.key(), check.outcome),
            Event::CheckEnded { id, vantage } => {
                self.ended.insert((id.clone(), *vantage));
                let id = clean_line(id);
                if let Some(at) = self.running.iter().position(|running| *running == id) {
                    self.running.remove(at);
                }
            }
            Event::RunFinished { .. } => return self.bar.finish_and_clear(),
        }
        self.bar.set_prefix(self.headline());
        self.bar.set_message(self.running.join(", "));
    }

    /// `testing.borooka.ee · 22 of 58 · 1 failed ·`, to be followed by the time.
    fn headline(&self) -> String {
        let sum = Summary::of(self.outcomes.values().copied());
        let mut parts =
            vec![self.target.clone(), format!("{} of {}", self.ended.len(), self.planned)];
        for (n, word) in [(sum.fail, "failed"), (sum.error, "not measured"), (sum.warn, "to know")]
        {
            if n > 0 {
                parts.push(format!("{n} {word}"));
            }
        }
        parts.push(String::new());
        parts.join(&format!(" {} ", self.separator)).trim_end().to_owned()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headline_counts_a_check_once() {
        let mut progress = Progress::new(false, true);
        progress.bar.set_draw_target(ProgressDrawTarget::hidden());
        progress.planned = 2;
        progress.target = "example.org".into();
        let ended = Event::CheckEnded { id: "dns.address".into(), vantage: Vantage::Public };
        progress.event(&ended);
        progress.event(&ended);
        progress.outcomes.insert("dns.address[a]".into(), Outcome::Fail);
        assert_eq!(progress.headline(), "example.org · 1 of 2 · 1 failed ·");
    }
}
