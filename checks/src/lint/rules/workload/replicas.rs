//! How many pods there are, and how many have to be.

use mxdoctor_probes::manifest::{Node, Object};

use super::own::{Program, is_operated, is_scaled, own, shares};
use crate::lint::view::Workload;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// `replicas: 0` stays in a file after somebody stopped a workload for an hour. Everything is
    /// applied without an error and calls itself healthy, and nothing runs: the ingress answers
    /// 404 and the tunnel 502, which looks like a wrong route.
    ///
    /// Silent where an autoscaler of the tree says how many there are.
    ///
    /// Source: Kubernetes, "Deployments", replicas.
    NONE = "WL-11" Warning: "a workload that is deployed has pods"
    breaks "its Service has no endpoints, and people get 404 or 502"
    remedy "set replicas: 1, or take the workload out"
    cause "workload-scaled-to-zero"
    check "kubernetes.workloads"
    look_in_files none
}

rule! {
    /// A PodDisruptionBudget that allows no pod to be away blocks the drain of its node without an
    /// end. `minAvailable: 1` over a single replica is one.
    ///
    /// A second replica is no way out for Synapse, Prosody, the focus and the bridge, which are one
    /// each. Silent where an autoscaler of the tree says how many pods there are.
    ///
    /// Source: Kubernetes, "Specifying a Disruption Budget for your Application".
    BLOCKED = "WL-16" Warning: "a disruption budget lets nodes be drained"
    breaks "kubectl drain, and every upgrade of a node, waits for ever"
    remedy "set maxUnavailable: 1 in place of minAvailable"
    cause "drain-blocked"
    check "kubernetes.workloads"
    look blocked
}

fn none(stack: &Stack<'_>, found: &mut Found) {
    for workload in own(stack) {
        let object = workload.object;
        let stays = matches!(object.kind(), "Deployment" | "StatefulSet" | "ReplicaSet");
        let Some(node) = object.at("spec.replicas").filter(|it| it.as_i64() == Some(0)) else {
            continue;
        };
        if stays && !is_scaled(stack, &workload) {
            let message = format!("{} has no pods, and is deployed all the same", object.name());
            found.at(object, node, message);
        }
    }
}

/// What a budget says in numbers: where, and how many pods of so many may be away.
fn allowed(budget: &Object, replicas: i64) -> Option<(&Node, i64)> {
    let share = |node: &Node| match node.scalar()?.strip_suffix('%') {
        // Both are rounded up, as the controller does.
        Some(percent) => Some((percent.parse::<i64>().ok()?.saturating_mul(replicas) + 99) / 100),
        None => node.scalar()?.parse::<i64>().ok(),
    };
    if let Some(node) = budget.at("spec.minAvailable") {
        return Some((node, replicas - share(node)?));
    }
    let node = budget.at("spec.maxUnavailable")?;
    Some((node, share(node)?))
}

/// Whether a budget's selector takes a workload's pods, as far as it is one of labels.
fn covers(budget: &Object, workload: &Workload<'_>) -> bool {
    budget.node.list("spec.selector.matchExpressions").is_empty()
        && workload.has(budget.node.map("spec.selector.matchLabels"))
        && shares(budget.namespace(), workload.object.namespace())
}

fn blocked(stack: &Stack<'_>, found: &mut Found) {
    let budgets = stack.inventory.of_kind("PodDisruptionBudget");
    let workloads = own(stack);
    for budget in budgets.filter(|budget| !is_operated(budget)) {
        let covered: Vec<_> = workloads.iter().filter(|it| covers(budget, it)).collect();
        let stay = ["Deployment", "StatefulSet"];
        // Of several workloads the pods are counted together, and a DaemonSet's are not drained.
        let [workload] = covered[..] else { continue };
        let replicas = workload.replicas();
        if !stay.contains(&workload.object.kind()) || is_scaled(stack, workload) || replicas < 1 {
            continue;
        }
        let Some((node, away)) = allowed(budget, replicas) else { continue };
        if away > 0 {
            continue;
        }
        let message = match replicas {
            1 => format!("the only pod of {} may never be away", workload.object),
            count => format!("none of the {count} pods of {} may be away", workload.object),
        };
        let mut remedy = "set maxUnavailable: 1 in its place".to_owned();
        let single = workload.main().any(|container| {
            let one = ["prosody", "jicofo", "jvb"];
            match Program::of(&container) {
                Program::Synapse => true,
                Program::Jitsi(part) => one.contains(&part),
                _ => false,
            }
        });
        if single {
            remedy.push_str(", or take the budget out: a second replica is no way out here");
        }
        let problem = found.at(budget, node, message);
        problem.also_place(workload.object.place(), "its pods").remedy(remedy);
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    fn with(replicas: i64) -> String {
        let spec = format!("spec:\n  replicas: {replicas}\n  template");
        synapse("server_name: a").replacen("spec:\n  template", &spec, 1)
    }

    fn scaler() -> &'static str {
        "---\napiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: s}\nspec: \
         {scaleTargetRef: {name: synapse}}\n"
    }

    #[test]
    fn something_runs() {
        assert_eq!(found("WL-11", &with(1)), [""; 0]);
        let expected = "14:13 synapse has no pods, and is deployed all the same";
        assert_eq!(found("WL-11", &with(0)), [expected]);
        assert_eq!(found("WL-11", &(with(0) + scaler())), [""; 0]);
    }

    #[test]
    fn a_node_can_be_drained() {
        let of = |replicas: i64, budget: &str| {
            let budget = format!(
                "---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{name: b}}\n\
                 spec:\n  selector: {{matchLabels: {{app: synapse}}}}\n  {budget}\n"
            );
            found("WL-16", &(with(replicas) + &budget))
        };
        let expected = "37:17 the only pod of Deployment synapse may never be away";
        assert_eq!(of(1, "minAvailable: 1"), [expected]);
        assert_eq!(of(1, "maxUnavailable: 0").len(), 1);
        assert_eq!(of(1, "minAvailable: 50%").len(), 1);
        assert_eq!(of(2, "minAvailable: 100%").len(), 1);
        for good in ["maxUnavailable: 1", "minAvailable: 0", "maxUnavailable: 50%"] {
            assert_eq!(of(1, good), [""; 0], "{good}");
        }
        assert_eq!(of(2, "minAvailable: 1"), [""; 0]);
        assert_eq!(of(0, "minAvailable: 1"), [""; 0]);
    }
}
