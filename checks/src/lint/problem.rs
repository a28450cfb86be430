//! What a rule finds.

use mxdoctor_model::Outcome;
use mxdoctor_probes::manifest::{Node, Object, Place};

use super::Rule;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Works, until something happens that will.
    Warning,
    /// It is not known: what would tell could not be read.
    Unmeasured,
    /// Will not work.
    Error,
    /// Data are lost, or the door is open.
    Critical,
}

impl Severity {
    /// What it is in a report.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::Info | Self::Warning => Outcome::Warn,
            Self::Unmeasured => Outcome::Error,
            Self::Error | Self::Critical => Outcome::Fail,
        }
    }

    /// The word for it, as reports have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Unmeasured => "unmeasured",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// One change of one file that a [`Fix`] is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The text at a place becomes another.
    Replace {
        /// What stands there now, `length` characters of one line.
        place: Place,
        /// What is to stand there.
        with: String,
    },
    /// Whole lines are added after the line of a place, as they are (with their indentation).
    AddAfter {
        /// A place in the line before.
        place: Place,
        /// The lines, without the last line's end.
        lines: String,
    },
    /// The line of a place goes away.
    RemoveLine {
        /// A place in it.
        place: Place,
    },
}

/// A change that is safe to make without asking: it makes the deployment do what it evidently
/// meant, and nothing else.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    /// What it does, in the imperative, lower case.
    pub does: String,
    /// All of it, or nothing.
    pub changes: Vec<Change>,
}

/// Something that a rule found wrong, and where.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The rule that found it.
    pub rule: &'static Rule,
    /// The line to blame.
    pub place: Place,
    /// The object that it belongs to, as messages name it: `Deployment synapse`; empty for what
    /// is in no object.
    pub object: String,
    /// What was found, in one sentence; lower case, no full stop. Names the thing, what was
    /// expected and what is there.
    pub message: String,
    /// What to do, with the reader's own names; the rule's own remedy where absent.
    pub remedy: Option<String>,
    /// Other places that prove it, each with what it shows.
    pub also: Vec<(Place, String)>,
    /// A safe change that mends it.
    pub fix: Option<Fix>,
}

/// Where a rule puts what it finds.
#[derive(Debug)]
pub struct Found {
    rule: &'static Rule,
    problems: Vec<Problem>,
}

impl Found {
    /// Nothing found yet by a rule.
    pub fn new(rule: &'static Rule) -> Self {
        Self { rule, problems: Vec::new() }
    }

    /// What was found.
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Something at a value.
    pub fn at(&mut self, object: &Object, node: &Node, message: impl Into<String>) -> &mut Problem {
        self.place(object, node.place.clone(), message)
    }

    /// Something about an object as a whole, such as what it lacks.
    pub fn on(&mut self, object: &Object, message: impl Into<String>) -> &mut Problem {
        self.place(object, object.place().clone(), message)
    }

    /// Something at a place of an object.
    pub fn place(
        &mut self,
        object: &Object,
        place: Place,
        message: impl Into<String>,
    ) -> &mut Problem {
        self.add(object.to_string(), place, message.into())
    }

    /// Something at a place that belongs to no object.
    pub fn nowhere(&mut self, place: Place, message: impl Into<String>) -> &mut Problem {
        self.add(String::new(), place, message.into())
    }

    fn add(&mut self, object: String, place: Place, message: String) -> &mut Problem {
        let rule = self.rule;
        let (remedy, also, fix) = (None, Vec::new(), None);
        let index = self.problems.len();
        self.problems.push(Problem { rule, place, object, message, remedy, also, fix });
        &mut self.problems[index]
    }
}

impl Problem {
    /// What to do, with the reader's own names.
    pub fn remedy(&mut self, remedy: impl Into<String>) -> &mut Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Another place that proves it, and what it shows.
    pub fn also(&mut self, node: &Node, shows: impl Into<String>) -> &mut Self {
        self.also.push((node.place.clone(), shows.into()));
        self
    }

    /// Another place that proves it, and what it shows.
    pub fn also_place(&mut self, place: &Place, shows: impl Into<String>) -> &mut Self {
        self.also.push((place.clone(), shows.into()));
        self
    }

    /// A safe change that mends it.
    pub fn fix(&mut self, does: impl Into<String>, changes: Vec<Change>) -> &mut Self {
        self.fix = Some(Fix { does: does.into(), changes });
        self
    }
}
