//! The longest dependency chain of a run, out of its own report.

use std::collections::HashMap;

use mxdoctor_model::Report;

/// A check or a fact in time, in milliseconds from the start of the run.
struct Node<'a> {
    start: u64,
    end: u64,
    waited_for: &'a [String],
}

/// Length in milliseconds of the longest chain of work, each node waiting for the one before:
/// what the run's wall time would be if nothing else stood in the way. With its names.
pub(crate) fn longest_chain(report: &Report) -> (u64, Vec<String>) {
    let facts: HashMap<&str, Node<'_>> = report
        .facts
        .iter()
        .map(|fact| {
            let end = fact.started_ms + fact.duration_ms;
            let node = Node { start: fact.started_ms, end, waited_for: &fact.waited_for };
            (fact.name.as_str(), node)
        })
        .collect();
    let mut known = HashMap::new();
    report
        .checks
        .iter()
        .map(|check| {
            let end = check.started_ms + check.duration_ms;
            let node = Node { start: check.started_ms, end, waited_for: &check.waited_for };
            chain(&check.id, &node, &facts, &mut known, 0)
        })
        .max_by_key(|(length, _)| *length)
        .unwrap_or_default()
}

type Chain = (u64, Vec<String>);

fn chain(
    name: &str,
    node: &Node<'_>,
    facts: &HashMap<&str, Node<'_>>,
    known: &mut HashMap<String, Chain>,
    depth: usize,
) -> Chain {
    if let Some(chain) = known.get(name) {
        return chain.clone();
    }
    let waited: Vec<(&str, &Node<'_>)> = node
        .waited_for
        .iter()
        .filter_map(|name| facts.get_key_value(name.as_str()).map(|(name, node)| (*name, node)))
        .collect();
    let own = (node.end - node.start).saturating_sub(covered(node, &waited));
    // A report made by hand could hold a circle; a real one cannot.
    let longest = if depth > 64 {
        (0, Vec::new())
    } else {
        waited
            .iter()
            .map(|(name, fact)| chain(name, fact, facts, known, depth + 1))
            .max_by_key(|(length, _)| *length)
            .unwrap_or_default()
    };
    let mut names = longest.1;
    names.push(format!("{name} (+{own} ms)"));
    let chain = (longest.0 + own, names);
    known.insert(name.to_owned(), chain.clone());
    chain
}

/// Milliseconds of the node during which at least one of the others was under way.
fn covered(node: &Node<'_>, others: &[(&str, &Node<'_>)]) -> u64 {
    let mut spans: Vec<(u64, u64)> = others
        .iter()
        .map(|(_, other)| (other.start.max(node.start), other.end.min(node.end)))
        .filter(|(start, end)| start < end)
        .collect();
    spans.sort_unstable();
    let mut covered = 0;
    let mut until = node.start;
    for (start, end) in spans {
        covered += end.saturating_sub(start.max(until));
        until = until.max(end);
    }
    covered
}
