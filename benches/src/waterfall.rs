//! The longest dependency chain of a run, out of its own report.

use mxdoctor_model::Report;

/// A check or a fact in time, in milliseconds from the start of the run.
struct Node<'a> {
    name: &'a str,
    start: u64,
    end: u64,
    waited_for: &'a [String],
}

/// The chain that ends with the run's last verdict, walked back in time: what each waited for last,
/// then what that waited for, and, where one began only when another had ended, that other, since
/// what is asked for may depend on what was learnt before. In milliseconds of work, with its names.
///
/// Time in which nothing of the chain was at work (queues, a scheduler that sleeps) is not in it.
pub(crate) fn longest_chain(report: &Report) -> (u64, Vec<String>) {
    let nodes = nodes(report);
    let Some(mut at) = nodes.iter().max_by_key(|node| node.end) else { return (0, Vec::new()) };
    let mut cursor = at.end;
    let (mut work, mut names) = (0, Vec::new());
    // Each round goes back in time or ends; the bound is for reports made by hand.
    for _ in 0..nodes.len() * 4 {
        let before = nodes
            .iter()
            .filter(|node| at.waited_for.iter().any(|name| name == node.name))
            .filter(|node| node.end <= cursor && node.end > at.start && node.start < cursor)
            .max_by_key(|node| node.end);
        let since = before.map_or(at.start, |node| node.end);
        if cursor > since {
            work += cursor - since;
            names.push(format!("{} (+{} ms)", at.name, cursor - since));
        }
        cursor = since;
        let next = before.or_else(|| {
            let asks = |node: &&Node<'_>| node.waited_for.iter().any(|name| name == at.name);
            nodes
                .iter()
                .filter(asks)
                .filter(|node| node.start < cursor && node.end > cursor)
                .max_by_key(|node| node.start)
        });
        let Some(next) = next else { break };
        at = next;
    }
    names.reverse();
    (work, names)
}

fn nodes(report: &Report) -> Vec<Node<'_>> {
    let checks = report.checks.iter().map(|check| Node {
        name: &check.id,
        start: check.started_ms,
        end: check.started_ms + check.duration_ms,
        waited_for: &check.waited_for,
    });
    let facts = report.facts.iter().map(|fact| Node {
        name: &fact.name,
        start: fact.started_ms,
        end: fact.started_ms + fact.duration_ms,
        waited_for: &fact.waited_for,
    });
    checks.chain(facts).collect()
}
