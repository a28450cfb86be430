//! Manual pages, as Markdown.

use crate::lint::rules;
use crate::{Cause, Check, REGISTRY, cause};

impl Check {
    /// The manual page: the doc comment of the check's file, and what its metadata say.
    pub fn markdown(&self) -> String {
        // A doc comment's lines begin with the space after its slashes.
        let page: String = self
            .page
            .lines()
            .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
            .collect();
        let vantages: Vec<&str> = self.vantages.iter().map(|vantage| vantage.as_str()).collect();
        let mut text = format!("# {}\n\n*{}*\n\n{}\n", self.id, self.title, page.trim());
        text.push_str(&format!("\nLooks from: {}.", vantages.join(", ")));
        text.push_str(&format!(" Time limit: {} s.\n", self.timeout.as_secs()));
        if !self.causes.is_empty() {
            text.push_str("\nCauses it can name:\n\n");
            for id in self.causes {
                let title = cause(id).map_or("", |cause| cause.title);
                text.push_str(&format!("- `{id}`: {title}\n"));
            }
        }
        text
    }
}

impl Cause {
    /// The manual page.
    pub fn markdown(&self) -> String {
        let checks = REGISTRY.iter().filter(|check| check.causes.contains(&self.id));
        let checks = checks.map(|check| check.id);
        let rules = rules::all().filter(|rule| rule.cause == self.id).map(|rule| rule.id);
        let seen_by: Vec<String> = checks.chain(rules).map(|id| format!("`{id}`")).collect();
        format!(
            "# {}\n\n*{}*\n\n{}\n\n## What to do\n\n{}\n\nNamed by: {}.\n",
            self.id,
            self.title,
            self.explanation,
            self.remedy,
            seen_by.join(", ")
        )
    }
}
