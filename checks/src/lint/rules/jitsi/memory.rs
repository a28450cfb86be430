//! The heap of focus and bridge, and the container's limit.

use mxdoctor_probes::manifest::{Node, Place};

use super::variable::{Variable, variable};
use crate::lint::view::JitsiPart;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// The Java machine grows up to its heap, and the kernel ends it at the container's limit. Both
    /// images ask for 3072 MiB unless told otherwise.
    ///
    /// Source: docker-jitsi-meet, `VIDEOBRIDGE_MAX_MEMORY`, `JICOFO_MAX_MEMORY`.
    HEAP = "JIT-25" Warning: "the heap fits the memory limit"
    breaks "the container is killed (OOMKilled) when many are in calls"
    remedy "set the heap to about 70 % of the limit"
    cause "memory-limit-below-heap"
    check "kubernetes.resources"
    look heap
}

/// What both images ask for.
const DEFAULT: &str = "3072m";

/// A heap that does not fit.
pub(in crate::lint::rules) struct Misfit<'a> {
    /// The variable that sets the heap.
    variable: &'static str,
    /// The heap, as it is written.
    heap: String,
    /// Where it is written; none where it is the image's default.
    place: Option<Place>,
    /// The memory limit.
    node: &'a Node,
    /// The memory limit in bytes.
    limit: u64,
}

/// The heap of a part, where it does not fit the part's memory limit.
pub(in crate::lint::rules) fn misfit<'a>(
    stack: &Stack<'a>,
    name: &str,
    part: &JitsiPart<'a>,
) -> Option<Misfit<'a>> {
    let variable_name = match name {
        "jvb" => "VIDEOBRIDGE_MAX_MEMORY",
        "jicofo" => "JICOFO_MAX_MEMORY",
        _ => return None,
    };
    let node = part.container.resource("limits", "memory")?;
    let limit = quantity(node.scalar()?)?;
    let (heap, place) = match variable(stack, part, variable_name) {
        Variable::Unknown => return None,
        Variable::Missing => (DEFAULT.to_owned(), None),
        Variable::Given(env) => (env.known()?.to_owned(), Some(env.place.clone())),
    };
    let fits = java(&heap)? * 10 <= limit * 9;
    (!fits).then_some(Misfit { variable: variable_name, heap, place, node, limit })
}

fn heap(stack: &Stack<'_>, found: &mut Found) {
    for (name, part) in stack.jitsi.parts() {
        let Some(Misfit { variable, heap, place, node, limit }) = misfit(stack, name, &part) else {
            continue;
        };
        let given = if place.is_some() { "" } else { ", the image's default" };
        let message = format!(
            "{name}'s heap is {heap}{given}, and its memory limit {}",
            node.scalar().unwrap_or_default()
        );
        let problem = found.at(part.workload.object, node, message);
        problem.remedy(format!("set {variable} to {}m", (limit * 7 / 10) >> 20));
        if let Some(place) = place {
            problem.also_place(&place, "the heap");
        }
    }
}

/// Bytes of a Kubernetes quantity: `512Mi`, `1Gi`, `1G`.
pub(in crate::lint::rules) fn quantity(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    let unit: f64 = match &text[end..] {
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        _ => return None,
    };
    Some((number * unit) as u64)
}

/// Bytes of Java's `-Xmx`: `3072m`, `1g`.
fn java(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at(text.len().checked_sub(1)?);
    let shift = match unit {
        "k" | "K" => 10,
        "m" | "M" => 20,
        "g" | "G" => 30,
        _ => return text.parse().ok(),
    };
    number.parse::<u64>().ok()?.checked_shl(shift)
}

#[cfg(test)]
mod tests {
    use super::{java, quantity};
    use crate::lint::testing::{found, jitsi};

    #[test]
    fn quantities_are_read() {
        assert_eq!((quantity("1Gi"), quantity("0.5Gi")), (Some(1 << 30), Some(1 << 29)));
        assert_eq!((quantity("10x"), quantity("")), (None, None));
        assert_eq!((java("3072m"), java("1g"), java("")), (Some(3072 << 20), Some(1 << 30), None));
    }

    #[test]
    fn a_heap_over_the_limit_is_found() {
        let limited = |variables| {
            let text = jitsi("jvb", variables, "hostNetwork: true");
            let limits = "        resources: {limits: {memory: 1Gi}}\n        envFrom:";
            found("JIT-25", &text.replace("        envFrom:", limits))
        };
        let expected = "jvb's heap is 3072m, the image's default, and its memory limit 1Gi";
        assert!(limited("TZ: UTC")[0].ends_with(expected), "{:?}", limited("TZ: UTC"));
        assert_eq!(limited("VIDEOBRIDGE_MAX_MEMORY: 720m"), [""; 0]);
    }
}
