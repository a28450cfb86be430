//! From all verdicts to ranked root causes: a pure function.
//!
//! Five steps. What was blocked follows from what blocked it: that is known from the facts and
//! certain. Failures of one cause are one root cause, however many hosts show it. What a name shows
//! is deepened by the walk to it: `hops.rs`. Some failures explain others although no fact ties
//! them: those are the rules in `rules.rs`. Last, what one vantage leaves open another one may
//! settle: `vantages.rs`.

mod hops;
mod rank;
mod rules;
#[cfg(test)]
mod tests;
mod vantages;

use std::collections::{HashMap, HashSet};

use mxdoctor_model::{CheckReport, Confidence, Outcome, RootCause};

pub(crate) use hops::{CUT, UNROUTED};

/// The root causes behind a run's entries, most important first.
pub fn diagnose(checks: &[CheckReport]) -> Vec<RootCause> {
    let mut groups = groups(checks);
    hops::deepen(&mut groups, checks);
    fold(&mut groups, checks);
    let blocked = blocked(checks);
    let mut causes: Vec<(rank::Rank, RootCause)> = groups
        .into_iter()
        .map(|group| {
            let mut cause = root_cause(&group, checks, &blocked);
            vantages::settle(&mut cause, &group, checks);
            (rank::rank(&group, &cause, checks), cause)
        })
        .collect();
    causes.sort_by_key(|(rank, _)| *rank);
    causes.into_iter().map(|(_, cause)| cause).collect()
}

/// Entries of one cause, and what was folded under them.
pub(crate) struct Group {
    /// Cause id; a check without one stands under its own id.
    cause: String,
    /// Indices of the entries that saw it.
    seen_by: Vec<usize>,
    /// Indices of failures that follow from it.
    explains: Vec<usize>,
    /// The surest of the entries, no surer than the rule that folded others under them.
    confidence: Confidence,
}

fn groups(checks: &[CheckReport]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (index, check) in checks.iter().enumerate() {
        if !matches!(check.outcome, Outcome::Fail | Outcome::Error) {
            continue;
        }
        // What was cut short by us has no cause worth a heading.
        if check.outcome == Outcome::Error && check.cause.is_none() {
            continue;
        }
        let cause = check.cause.clone().unwrap_or_else(|| check.id.clone());
        let confidence = check.confidence.unwrap_or(Confidence::Certain);
        match groups.iter_mut().find(|group| group.cause == cause) {
            Some(group) => {
                group.seen_by.push(index);
                group.confidence = group.confidence.max(confidence);
            }
            None => {
                groups.push(Group { cause, seen_by: vec![index], explains: Vec::new(), confidence })
            }
        }
    }
    groups
}

/// Moves what another group explains below it.
fn fold(groups: &mut Vec<Group>, checks: &[CheckReport]) {
    for rule in rules::RULES {
        let Some(root) = groups.iter().position(|group| group.cause == rule.cause) else {
            continue;
        };
        let objects: Vec<&String> =
            groups[root].seen_by.iter().filter_map(|&index| checks[index].about.first()).collect();
        let follows = |index: usize| {
            let about = &checks[index].about;
            !rule.by_object
                || objects.iter().any(|object| about.is_empty() || about.contains(object))
        };
        let mut folded = Vec::new();
        for (position, group) in groups.iter_mut().enumerate() {
            if position == root || !rule.explains.contains(&group.cause.as_str()) {
                continue;
            }
            let (below, own): (Vec<usize>, Vec<usize>) =
                group.seen_by.iter().partition(|&&index| follows(index));
            group.seen_by = own;
            folded.extend(below);
            if group.seen_by.is_empty() {
                folded.append(&mut group.explains);
            }
        }
        if !folded.is_empty() {
            groups[root].explains.extend(folded);
            groups[root].confidence = groups[root].confidence.min(rule.confidence);
            groups.retain(|group| !group.seen_by.is_empty());
        }
    }
}

/// For each key, the indices of the entries that it blocks directly.
fn blocked(checks: &[CheckReport]) -> HashMap<&str, Vec<usize>> {
    let mut blocked: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, check) in checks.iter().enumerate() {
        if let Some(by) = &check.blocked_by {
            blocked.entry(by.as_str()).or_default().push(index);
        }
    }
    blocked
}

fn root_cause(
    group: &Group,
    checks: &[CheckReport],
    blocked: &HashMap<&str, Vec<usize>>,
) -> RootCause {
    let first = &checks[group.seen_by[0]];
    let known = crate::cause(&group.cause);
    let mut follows: Vec<usize> = group.explains.clone();
    let mut open: Vec<usize> = group.seen_by.iter().chain(&group.explains).copied().collect();
    let mut seen: HashSet<usize> = open.iter().copied().collect();
    while let Some(index) = open.pop() {
        for &next in blocked.get(checks[index].key().as_str()).into_iter().flatten() {
            if seen.insert(next) {
                follows.push(next);
                open.push(next);
            }
        }
    }
    follows.sort_unstable();
    let keys = |indices: &[usize]| indices.iter().map(|&index| checks[index].key()).collect();
    RootCause {
        cause: group.cause.clone(),
        title: known.map_or_else(|| first.summary.clone(), |cause| cause.title.to_owned()),
        confidence: group.confidence,
        checks: keys(&group.seen_by),
        summary: first.summary.clone(),
        remedy: first
            .remedy
            .clone()
            .or_else(|| known.map(|cause| cause.remedy.to_owned()))
            .unwrap_or_default(),
        docs_url: known
            .map_or_else(|| first.docs_url.clone(), |cause| format!("docs/causes/{}.md", cause.id)),
        evidence: group.seen_by.iter().flat_map(|&index| checks[index].evidence.clone()).collect(),
        consequences: keys(&follows),
    }
}
