//! `# mxdoctor: allow RULE reason`: findings that somebody decided to live with.

use std::sync::Arc;

use mxdoctor_probes::manifest::{Place, Source};

use super::reading::{UNKNOWN, UNREASONED, UNUSED};
use super::{Found, Problem, Rule, rules};

const MARK: &str = "# mxdoctor:";

/// One rule that a comment allows.
struct Allowed {
    rule: &'static Rule,
    place: Place,
    lines: std::ops::RangeInclusive<u32>,
    used: bool,
}

/// Takes out the problems that comments in the sources allow, and adds those of the comments
/// themselves. Whether a comment hides anything is known only of rules that `selected` says were
/// asked. Also how many problems were hidden.
pub fn suppress(
    sources: &[Arc<Source>],
    problems: Vec<Problem>,
    selected: impl Fn(&Rule) -> bool,
) -> (Vec<Problem>, usize) {
    let mut wrong = Vec::new();
    let mut allowed = Vec::new();
    for source in sources.iter().filter(|source| source.text.contains(MARK)) {
        comments(source, &mut allowed, &mut wrong);
    }
    let before = problems.len();
    let mut kept: Vec<Problem> = problems
        .into_iter()
        .filter(|problem| {
            let mut hidden = false;
            for allowed in allowed.iter_mut().filter(|allowed| allowed.covers(problem)) {
                allowed.used = true;
                hidden = true;
            }
            !hidden
        })
        .collect();
    let hidden = before - kept.len();
    for unused in allowed.iter().filter(|allowed| !allowed.used && selected(allowed.rule)) {
        let message = format!("{} finds nothing here to allow", unused.rule.id);
        wrong.push(problem(&UNUSED, &unused.place, message));
    }
    kept.extend(wrong.into_iter().filter(|problem| selected(problem.rule)));
    (kept, hidden)
}

impl Allowed {
    fn covers(&self, problem: &Problem) -> bool {
        std::ptr::eq(self.rule, problem.rule)
            && self.place.source.name == problem.place.source.name
            && self.lines.contains(&problem.place.line)
    }
}

fn problem(rule: &'static Rule, place: &Place, message: String) -> Problem {
    let mut found = Found::new(rule);
    found.nowhere(place.clone(), message).clone()
}

/// The comments of a source.
fn comments(source: &Arc<Source>, allowed: &mut Vec<Allowed>, wrong: &mut Vec<Problem>) {
    let lines: Vec<&str> = source.text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let Some(start) = comment(line) else { continue };
        let words = &line[start + MARK.len()..];
        let column = line[..start].chars().count() + 1;
        let length = line[start..].trim_end().chars().count();
        let place = Place::new(source, number(at), number(column - 1), number(length - 1));
        let (ids, reason) = split(words);
        let scope = scope(&lines, at, start);
        if ids.is_empty() {
            let message = "expected `# mxdoctor: allow RULE reason`".to_owned();
            wrong.push(problem(&UNKNOWN, &place, message));
        } else if reason.chars().filter(|c| c.is_alphanumeric()).count() < 3 {
            let message = format!("{} is allowed without a reason", ids.join(", "));
            wrong.push(problem(&UNREASONED, &place, message));
        } else {
            for id in ids {
                match rules::rule(id) {
                    Some(rule) => {
                        let (place, lines) = (place.clone(), scope.clone());
                        allowed.push(Allowed { rule, place, lines, used: false });
                    }
                    None => {
                        let message = format!("there is no rule `{id}`");
                        wrong.push(problem(&UNKNOWN, &place, message));
                    }
                }
            }
        }
    }
}

/// Where in a line a comment of ours begins.
fn comment(line: &str) -> Option<usize> {
    let at = line.find(MARK)?;
    line[..at].chars().next_back().is_none_or(char::is_whitespace).then_some(at)
}

/// The rules and the reason of ` allow A, B reason`.
fn split(words: &str) -> (Vec<&str>, &str) {
    let Some(mut rest) = words.trim().strip_prefix("allow ") else { return (Vec::new(), "") };
    let mut ids = Vec::new();
    loop {
        rest = rest.trim_start();
        let end = rest.find(|c: char| c == ',' || c.is_whitespace()).unwrap_or(rest.len());
        if end == 0 {
            return (ids, rest);
        }
        ids.push(rest[..end].trim_end_matches(':'));
        match rest[end..].trim_start().strip_prefix(',') {
            Some(more) => rest = more,
            None => return (ids, rest[end..].trim()),
        }
    }
}

/// The lines that a comment at `at` speaks of, from 1.
fn scope(lines: &[&str], at: usize, start: usize) -> std::ops::RangeInclusive<u32> {
    let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if !lines[at][..start].trim().is_empty() {
        return number(at)..=number(below(lines, at));
    }
    let before = lines[..at].iter().rposition(|line| !blank(line));
    let head = before.is_none_or(|line| lines[line].starts_with("---"));
    let first_document = lines[..at].iter().all(|line| blank(line));
    if head && first_document {
        return 1..=u32::MAX;
    }
    if head {
        let end = lines[at..].iter().position(|line| line.starts_with("---"));
        return number(at)..=number(end.map_or(lines.len(), |end| at + end));
    }
    match (at + 1..lines.len()).find(|line| !blank(lines[*line])) {
        Some(next) => number(next)..=number(below(lines, next)),
        None => number(at)..=number(at),
    }
}

/// The last line of what stands under the key of a line.
fn below(lines: &[&str], at: usize) -> usize {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = indent(lines[at]);
    let is_item = |line: &str| line.trim_start().starts_with("- ");
    let key = !is_item(lines[at]);
    let inside = |line: &&&str| {
        line.trim().is_empty()
            || indent(line) > own
            || (key && indent(line) == own && is_item(line))
    };
    at + lines[at + 1..].iter().take_while(inside).count()
}

/// The number of a line, from 1, of its index.
fn number(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{inventory, synapse};

    fn looked(text: &str) -> Vec<String> {
        let inventory = inventory(text);
        let sources = [Arc::clone(&inventory.objects()[0].place().source)];
        let (mut kept, _) = suppress(&sources, crate::lint::run(&inventory), |_| true);
        kept.retain(|p| p.rule.id == "SYN-01" || p.rule.id.starts_with("LINT"));
        kept.iter().map(|p| format!("{} {}", p.rule.id, p.place.line)).collect()
    }

    fn bad(comment: &str) -> String {
        synapse(&format!("server_name: a.example\n{comment}\nform_secret: \"${{X}}\""))
    }

    #[test]
    fn a_comment_above_or_behind_allows_with_a_reason() {
        assert_eq!(looked(&bad("a: 1")), ["SYN-01 9"]);
        assert!(looked(&bad("# mxdoctor: allow SYN-01 rendered by the pipeline")).is_empty());
        let behind = "f: 1\nform_secret: \"${X}\" # mxdoctor: allow syn-01: rendered later";
        assert!(looked(&synapse(behind)).is_empty());
        let top = format!("# mxdoctor: allow SYN-01 rendered later\n{}", bad("a: 1"));
        assert!(looked(&top).is_empty());
    }

    #[test]
    fn a_comment_above_a_key_allows_all_below() {
        let text =
            bad("a: 1").replace("  homeserver", "  # mxdoctor: allow SYN-01 why\n  homeserver");
        assert!(looked(&text).is_empty());
    }

    #[test]
    fn without_a_reason_without_a_rule_and_without_use_are_findings() {
        assert_eq!(looked(&bad("# mxdoctor: allow SYN-01")), ["SYN-01 9", "LINT-02 8"]);
        assert_eq!(looked(&bad("# mxdoctor: allow SYN-1 why not")), ["SYN-01 9", "LINT-03 8"]);
        assert_eq!(looked(&bad("# mxdoctor: ignore")), ["SYN-01 9", "LINT-03 8"]);
        let unused = synapse("# mxdoctor: allow SYN-01 rendered\nserver_name: a.example");
        assert_eq!(looked(&unused), ["LINT-01 7"]);
    }

    #[test]
    fn several_rules_share_a_reason() {
        assert_eq!(split(" allow A-1, B-2 why not"), (vec!["A-1", "B-2"], "why not"));
        assert_eq!(split(" allow A-1"), (vec!["A-1"], ""));
        assert_eq!(split(" forbid A-1"), (vec![], ""));
    }
}
