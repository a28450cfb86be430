//! How the bridge is replaced.

use super::variable::{Variable, variable};
use crate::lint::view::EnvValue;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A rolling update starts the new pod before the old one ends. A port of the node is free for
    /// one of them only: the new pod stays Pending, and the old one is never ended.
    ///
    /// Silent about a bridge that takes its address from whichever node it is on, and so may move.
    ///
    /// Source: Kubernetes, "Deployments", strategy; 25 % of one pod is rounded down to none that
    /// may be unavailable.
    HOST_PORT = "JIT-03" Error: "a bridge on its node's port is replaced, not rolled"
    breaks "the next rollout waits for ever: the port is taken by the pod that it replaces"
    remedy "strategy: {type: Recreate}"
    cause "rollout-deadlock"
    check "kubernetes.rollouts"
    look host_port
}

fn host_port(stack: &Stack<'_>, found: &mut Found) {
    for part in &stack.jitsi.jvb {
        let object = part.workload.object;
        let on_node = part.workload.host_network()
            || part.container.ports().iter().any(|port| port.get("hostPort").is_some());
        let strategy = object.at("spec.strategy");
        let rolls =
            strategy.and_then(|it| it.str("type")).is_none_or(|kind| kind == "RollingUpdate");
        // One that may be unavailable makes room for the new one.
        let room = object.at("spec.strategy.rollingUpdate.maxUnavailable");
        let room = room.and_then(|it| it.scalar()).is_some_and(|it| it != "0" && it != "25%");
        // One that is at home on any node finds the port on another.
        let pod = part.workload.pod;
        let kept = ["nodeSelector", "nodeName"].iter().any(|key| pod.get(key).is_some());
        let moves = match variable(stack, part, "JVB_ADVERTISE_IPS") {
            Variable::Given(env) => matches!(env.value, EnvValue::Field(_)) && !kept,
            _ => false,
        };
        if object.kind() == "Deployment" && on_node && rolls && !room && !moves {
            let message = "a rolling update needs the port of the node twice";
            match strategy {
                Some(node) => found.at(object, node, message),
                None => found.on(object, message),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, jitsi};

    #[test]
    fn a_port_of_the_node_is_not_rolled() {
        let text = jitsi("jvb", "TZ: UTC", "hostNetwork: true");
        assert_eq!(found("JIT-03", &text).len(), 1);
        let good =
            text.replace("spec:\n  template", "spec:\n  strategy: {type: Recreate}\n  template");
        assert_eq!(found("JIT-03", &good), [""; 0]);
        let room =
            "spec:\n  strategy: {rollingUpdate: {maxUnavailable: 1, maxSurge: 0}}\n  template";
        assert_eq!(found("JIT-03", &text.replace("spec:\n  template", room)), [""; 0]);
    }

    #[test]
    fn a_bridge_that_is_at_home_on_any_node_may_roll() {
        let address = "      - name: jvb\n        env: [{name: JVB_ADVERTISE_IPS, valueFrom: {fieldRef: \
                       {fieldPath: status.hostIP}}}]\n";
        let text = jitsi("jvb", "TZ: UTC", "hostNetwork: true");
        let text = text.replace("      - name: jvb\n", address);
        assert_eq!(found("JIT-03", &text), [""; 0]);
        let kept = text.replace("hostNetwork: true", "hostNetwork: true\n      nodeName: a");
        assert_eq!(found("JIT-03", &kept).len(), 1);
    }
}
