//! A unit of opinion about manifests.

use mxdoctor_probes::manifest::{Inventory, Origin};

use super::allow::allow;
use super::apart::Apart;
use super::{Found, Problem, Severity, Stack, rules};

/// What a rule needs to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// The objects, wherever they come from: it holds before and after a deployment.
    Objects,
    /// The files as they are written; it is silent about a live namespace.
    Files,
}

/// A rule: its metadata and the one function that looks. Made by [`crate::rule!`].
pub struct Rule {
    /// `SYN-01`: family and number; a public interface, never reused.
    pub id: &'static str,
    /// How bad it is when it finds something.
    pub severity: Severity,
    /// What must be true, in one line.
    pub title: &'static str,
    /// The manual page, in Markdown: the doc comment of the rule.
    pub page: &'static str,
    /// What happens at run time, in one sentence.
    pub breaks: &'static str,
    /// What to do, in general.
    pub remedy: &'static str,
    /// The root cause that it is evidence of.
    pub cause: &'static str,
    /// The check that reports it for a live namespace, `kubernetes.endpoints`; empty for what
    /// only files can have.
    pub check: &'static str,
    /// What it needs to decide.
    pub needs: Needs,
    /// Looks, and adds what it finds.
    pub look: fn(&Stack<'_>, &mut Found),
}

impl Rule {
    /// The part of the id before its number: `SYN`.
    pub fn family(&self) -> &'static str {
        self.id.split_once('-').map_or(self.id, |(family, _)| family)
    }

    /// The manual page: the doc comment of the rule, and what its metadata say.
    pub fn markdown(&self) -> String {
        let page: String = self
            .page
            .lines()
            .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
            .collect();
        let mut text = format!(
            "# {}\n\n*{}*\n\n{}\n\nSeverity: {}. At run time: {}.\n\n## What to do\n\n{}.\n\n\
             Cause: `{}`.",
            self.id,
            self.title,
            page.trim(),
            self.severity.as_str(),
            self.breaks.trim_end_matches('.'),
            self.remedy.trim_end_matches('.'),
            self.cause,
        );
        if !self.check.is_empty() {
            text.push_str(&format!(" In a live namespace: `{}`.", self.check));
        }
        text.push('\n');
        text
    }
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rule").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Looks at an inventory with every rule that can decide on it; the problems in the order of their
/// places. Where it has several stacks, each in a namespace of its own, each is looked at alone.
pub fn run(inventory: &Inventory) -> Vec<Problem> {
    let mut problems = match Apart::new(inventory) {
        Some(apart) => apart.look(look),
        None => look(inventory),
    };
    sort(&mut problems);
    problems
}

fn look(inventory: &Inventory) -> Vec<Problem> {
    let stack = Stack::new(inventory);
    let mut problems: Vec<Problem> = rules::all()
        .filter(|rule| rule.needs == Needs::Objects || inventory.origin == Origin::Files)
        .flat_map(|rule| {
            let mut found = Found::new(rule);
            (rule.look)(&stack, &mut found);
            found.into_problems()
        })
        .collect();
    allow(inventory, &mut problems);
    problems
}

/// Takes out the problems that another one explains: a reference that a renaming breaks (KUS-05) is
/// one mistake, though rules about such references see each of them.
pub fn explain(problems: &mut Vec<Problem>) {
    let renaming = problems.iter().filter(|problem| problem.rule.id == "KUS-05");
    let explained: Vec<_> =
        renaming.flat_map(|problem| &problem.also).map(|(place, _)| place.clone()).collect();
    if explained.is_empty() {
        return;
    }
    problems
        .retain(|problem| problem.rule.family() == "KUS" || !explained.contains(&problem.place));
}

/// Puts problems into the order of their places.
pub fn sort(problems: &mut [Problem]) {
    problems.sort_by(|one, other| key(one).cmp(&key(other)));
}

fn key(problem: &Problem) -> (&str, u32, u32, &'static str) {
    let place = &problem.place;
    (&place.source.name, place.line, place.column, problem.rule.id)
}

/// Declares a rule as a static of the given name: its doc comment is its manual page.
///
/// ```text
/// rule! {
///     /// Synapse substitutes no `${…}` in its configuration …
///     UNRENDERED = "SYN-01" Critical: "homeserver.yaml holds no unresolved ${…}"
///     breaks "Synapse takes the text itself as the secret: whoever knows it can register an admin"
///     remedy "mount the secret as a file and name it in registration_shared_secret_path"
///     cause "configuration-not-rendered"
///     check "kubernetes.configmaps"
///     look unrendered
/// }
/// ```
/// `look_in_files` instead of `look` says that it needs the files as they are written.
#[macro_export]
macro_rules! rule {
    (
        $(#[doc = $page:literal])+
        $name:ident = $id:literal $severity:ident : $title:literal
        breaks $breaks:literal
        remedy $remedy:literal
        cause $cause:literal
        check $check:literal
        $needs:ident $look:path
    ) => {
        $(#[doc = $page])+
        pub(crate) static $name: $crate::lint::Rule = $crate::lint::Rule {
            id: $id,
            severity: $crate::lint::Severity::$severity,
            title: $title,
            page: concat!($($page, "\n"),+),
            breaks: $breaks,
            remedy: $remedy,
            cause: $cause,
            check: $check,
            needs: $crate::rule!(@needs $needs),
            look: $look,
        };
    };
    (@needs look_in_files) => { $crate::lint::Needs::Files };
    (@needs look) => { $crate::lint::Needs::Objects };
}
