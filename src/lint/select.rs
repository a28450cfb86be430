//! Which rules are asked.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use mxdoctor_checks::lint::{Rule, Severity, reading, rules};

use crate::config::{ConfigError, nearest};

/// Rules by `--only` and `--skip`: ids (`SYN-08`), globs (`JIT-*`) and families (`NET`).
#[derive(Debug, Clone, Default)]
pub struct Selection {
    only: Option<GlobSet>,
    skip: GlobSet,
}

impl Selection {
    /// The rules that fit the patterns.
    ///
    /// # Errors
    /// [`ConfigError`] for a pattern that fits no rule, or that is none.
    pub fn new(only: &[String], skip: &[String]) -> Result<Self, ConfigError> {
        let some = if only.is_empty() { None } else { Some(patterns("--only", only)?) };
        Ok(Self { only: some, skip: patterns("--skip", skip)? })
    }

    /// Whether a rule is asked. That files could not be read is said whatever was asked, unless it
    /// is skipped: otherwise nothing would be found in them, and all seem well.
    pub fn has(&self, rule: &Rule) -> bool {
        self.asks(rule) || (is_of_reading(rule) && !fits(&self.skip, rule))
    }

    /// Whether any rule is asked.
    pub fn any(&self) -> bool {
        rules::all().any(|rule| self.asks(rule))
    }

    fn asks(&self, rule: &Rule) -> bool {
        self.only.as_ref().is_none_or(|only| fits(only, rule)) && !fits(&self.skip, rule)
    }
}

/// Whether a rule says that something was not looked at.
fn is_of_reading(rule: &Rule) -> bool {
    reading::RULES.iter().any(|known| known.id == rule.id) && rule.severity >= Severity::Unmeasured
}

fn fits(set: &GlobSet, rule: &Rule) -> bool {
    set.is_match(rule.id) || set.is_match(rule.family())
}

fn patterns(name: &str, texts: &[String]) -> Result<GlobSet, ConfigError> {
    let mut set = GlobSetBuilder::new();
    for text in texts {
        let pattern = text.strip_prefix("lint.").unwrap_or(text);
        let glob = GlobBuilder::new(pattern)
            .case_insensitive(true)
            .build()
            .map_err(|error| ConfigError::value(name, error.to_string()))?;
        let matcher = glob.compile_matcher();
        if !rules::all().any(|r| matcher.is_match(r.id) || matcher.is_match(r.family())) {
            let help = match nearest(text, rules::all().map(|rule| rule.id)) {
                Some(id) => format!("did you mean `{id}`? `mxdoctor list rules` shows them all"),
                None => "`mxdoctor list rules` shows them all".into(),
            };
            return Err(ConfigError::FitsNothing { name: name.into(), text: text.clone(), help });
        }
        set.add(glob);
    }
    set.build().map_err(|error| ConfigError::value(name, error.to_string()))
}
