//! What containers ask for and may use.

use mxdoctor_probes::manifest::Node;

use super::super::jitsi::memory;
use super::own::{Program, is_main_synapse, name, own, shares, targets};
use crate::lint::view::{Container, Workload};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// What asks for no memory is the first that the kubelet ends when the node runs short; what
    /// has no limit is what makes it run short; what asks for no cpu waits behind everything that
    /// does. A limit counts as the request where that is not given.
    ///
    /// A cpu limit is not asked for: it makes Synapse and the bridge slow while the node is idle.
    /// Silent where a LimitRange or a VerticalPodAutoscaler of the tree says it. The database's
    /// Cluster has a rule of its own.
    ///
    /// Source: Kubernetes, "Resource Management for Pods and Containers", "Pod Quality of Service
    /// Classes".
    UNSET = "WL-02" Warning: "a container requests cpu and memory, and has a memory limit"
    breaks "on a busy node its pod is evicted first, or it takes the memory of all others"
    remedy "set resources.requests.cpu, resources.requests.memory and resources.limits.memory"
    cause "resources-unset"
    check "kubernetes.resources"
    look_in_files unset
}

rule! {
    /// Below a certain limit a program is ended by the kernel (OOMKilled, exit code 137) again and
    /// again: Synapse's main process below 1 GB once it is in a large room, and anything below
    /// 6 MiB at its start. 512 MiB for the bridge, whatever its heap, and 32 MiB for Element's web
    /// server are taken as the least. `512m` are no megabytes: `m` stands for thousandths of a
    /// byte.
    ///
    /// A heap of focus or bridge that does not fit its limit has a rule of its own. In a live
    /// namespace the pods say themselves whether they were killed.
    ///
    /// Source: Synapse, "Installation Instructions"; Kubernetes, "Resource Management for Pods and
    /// Containers".
    TOO_SMALL = "WL-03" Error: "a memory limit is one that the program can live with"
    breaks "the container is killed (OOMKilled, 137) and starts over, again and again"
    remedy "raise resources.limits.memory"
    cause "memory-limit-exceeded"
    check "kubernetes.resources"
    look_in_files too_small
}

fn unset(stack: &Stack<'_>, found: &mut Found) {
    for workload in own(stack) {
        let scalers = stack.inventory.of_kind("VerticalPodAutoscaler");
        if targets(scalers, "spec.targetRef.name", &workload) {
            continue;
        }
        for container in workload.main() {
            let lacks = |kind: &str, resource: &str| {
                !is_given(&workload, &container, kind, resource)
                    && !is_default(stack, &workload, kind, resource)
            };
            let lacking: Vec<&str> = [
                ("requests", "cpu", "no cpu request"),
                ("requests", "memory", "no memory request"),
                ("limits", "memory", "no memory limit"),
            ]
            .into_iter()
            .filter_map(|(kind, resource, says)| lacks(kind, resource).then_some(says))
            .collect();
            if lacking.is_empty() {
                continue;
            }
            let message = format!("{} has {}", container.name(), lacking.join(", "));
            match container.node.entry("resources") {
                Some(entry) => found.place(workload.object, entry.place.clone(), message),
                None => found.at(workload.object, name(&container), message),
            };
        }
    }
}

/// Whether a container or its pod says a request or limit.
fn is_given(workload: &Workload<'_>, container: &Container<'_>, kind: &str, what: &str) -> bool {
    let of_pod = |kind: &str| workload.pod.at("resources").and_then(|it| it.get(kind)?.get(what));
    let given = |kind: &str| container.resource(kind, what).or_else(|| of_pod(kind)).is_some();
    given(kind) || (kind == "requests" && given("limits"))
}

/// Whether a LimitRange of the namespace says a request or limit.
fn is_default(stack: &Stack<'_>, workload: &Workload<'_>, kind: &str, resource: &str) -> bool {
    let ranges = stack.inventory.of_kind("LimitRange");
    let here = ranges.filter(|it| shares(it.namespace(), workload.object.namespace()));
    let keys: &[&str] =
        if kind == "requests" { &["defaultRequest", "default"] } else { &["default"] };
    here.flat_map(|range| range.node.list("spec.limits"))
        .filter(|limits| limits.str("type") == Some("Container"))
        .any(|limits| {
            keys.iter().any(|key| limits.get(key).is_some_and(|it| it.get(resource).is_some()))
        })
}

/// Bytes below which no container runtime starts a container.
const LEAST: u64 = 6 << 20;

/// The least that a program lives with: bytes, and in words.
fn floor(
    stack: &Stack<'_>,
    workload: &Workload<'_>,
    container: &Container<'_>,
) -> Option<(u64, &'static str)> {
    match Program::of(container) {
        Program::Synapse if is_main_synapse(stack, workload, container) => {
            Some((1_000_000_000, "Synapse needs 1G once it is in a large room"))
        }
        Program::Element => Some((32 << 20, "Element's web server needs 32Mi")),
        Program::Jitsi("jvb") => Some((512 << 20, "the bridge needs 512Mi whatever its heap")),
        _ => None,
    }
}

/// Why a limit is too small.
fn why(
    stack: &Stack<'_>,
    workload: &Workload<'_>,
    container: &Container<'_>,
    limit: &Node,
) -> Option<String> {
    let text = limit.scalar()?;
    let thousandths = text.strip_suffix('m').is_some_and(|number| number.parse::<f64>().is_ok());
    if thousandths {
        return Some("m stands for thousandths of a byte".to_owned());
    }
    let bytes = memory::quantity(text)?;
    if bytes < LEAST {
        return Some("no container starts below 6Mi".to_owned());
    }
    let (least, needs) = floor(stack, workload, container)?;
    (bytes < least).then(|| needs.to_owned())
}

fn too_small(stack: &Stack<'_>, found: &mut Found) {
    for workload in own(stack) {
        for container in workload.main() {
            let Some(limit) = container.resource("limits", "memory") else { continue };
            let heap = stack.jitsi.parts().into_iter().any(|(part, it)| {
                std::ptr::eq(it.container.node, container.node)
                    && memory::misfit(stack, part, &it).is_some()
            });
            let Some(why) = why(stack, &workload, &container, limit).filter(|_| !heap) else {
                continue;
            };
            let text = limit.scalar().unwrap_or_default();
            let message = format!("{}'s memory limit is {text}: {why}", container.name());
            found.at(workload.object, limit, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{element, found, jitsi, synapse};

    fn with(resources: &str) -> String {
        let image = "image: matrixdotorg/synapse:1.147.0\n";
        synapse("server_name: a")
            .replace(image, &format!("{image}        resources: {resources}\n"))
    }

    const GOOD: &str = "{requests: {cpu: 500m}, limits: {memory: 2Gi}}";

    #[test]
    fn resources_are_set() {
        assert_eq!(found("WL-02", &with(GOOD)), [""; 0]);
        let none = synapse("server_name: a");
        let expected = "19:15 synapse has no cpu request, no memory request, no memory limit";
        assert_eq!(found("WL-02", &none), [expected]);
        let open = with("{requests: {cpu: 1, memory: 1Gi}}");
        assert_eq!(found("WL-02", &open), ["21:9 synapse has no memory limit"]);
        let range = "---\napiVersion: v1\nkind: LimitRange\nmetadata: {name: r}\nspec: {limits: \
                     [{type: Container, default: {cpu: 1, memory: 1Gi}}]}\n";
        assert_eq!(found("WL-02", &(none.clone() + range)), [""; 0]);
        let scaler = "---\napiVersion: autoscaling.k8s.io/v1\nkind: VerticalPodAutoscaler\n\
                      metadata: {name: v}\nspec: {targetRef: {kind: Deployment, name: synapse}}\n";
        assert_eq!(found("WL-02", &(none + scaler)), [""; 0]);
    }

    #[test]
    fn a_limit_is_enough() {
        for limit in ["1G", "1Gi", "2Gi"] {
            let text = with(&format!("{{limits: {{memory: {limit}}}}}"));
            assert_eq!(found("WL-03", &text), [""; 0], "{limit}");
        }
        let small =
            |limit: &str| found("WL-03", &with(&format!("{{limits: {{memory: {limit}}}}}")));
        let expected = "21:38 synapse's memory limit is 256Mi: Synapse needs 1G once it is in a \
                        large room";
        assert_eq!(small("256Mi"), [expected]);
        assert!(small("512m")[0].ends_with("512m: m stands for thousandths of a byte"));
        assert!(small("2")[0].ends_with("2: no container starts below 6Mi"));
        let worker = with("{limits: {memory: 256Mi}}").replace(
            "        env:\n",
            "        env:\n        - {name: SYNAPSE_WORKER, value: w}\n",
        );
        assert_eq!(found("WL-03", &worker), [""; 0]);
        let image = "image: vectorim/element-web:v1.12.10\n";
        let limits = format!("{image}        resources: {{limits: {{memory: 16Mi}}}}\n");
        assert_eq!(found("WL-03", &element("{}").replace(image, &limits)).len(), 1);
    }

    #[test]
    fn a_heap_has_its_own_rule() {
        let limited = |heap: &str| {
            let text = jitsi("jvb", heap, "hostNetwork: true");
            let limits = "        resources: {limits: {memory: 384Mi}}\n        envFrom:";
            text.replace("        envFrom:", limits)
        };
        assert_eq!(found("WL-03", &limited("VIDEOBRIDGE_MAX_MEMORY: 256m")).len(), 1);
        assert_eq!(found("JIT-25", &limited("VIDEOBRIDGE_MAX_MEMORY: 256m")), [""; 0]);
        assert_eq!(found("WL-03", &limited("TZ: UTC")), [""; 0]);
        assert_eq!(found("JIT-25", &limited("TZ: UTC")).len(), 1);
    }
}
