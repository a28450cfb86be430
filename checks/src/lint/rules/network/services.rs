//! What a Service selects, and on which port.

use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A Service whose selector fits no pod has no endpoints. Traefik then drops the route and
    /// answers 404, as if the host name were wrong.
    ///
    /// Source: Kubernetes, "Service"; Traefik, `allowEmptyServices`.
    SELECTS_NOTHING = "NET-01" Error: "a Service selects pods"
    breaks "nobody answers behind the Service: 404 from Traefik, 502 from the tunnel"
    remedy "use the labels of the pod template in the selector"
    cause "service-selects-nothing"
    check "kubernetes.endpoints"
    look selects_nothing
}

rule! {
    /// Requests are spread over everything that a selector fits.
    ///
    /// Source: Kubernetes, "Service".
    SELECTS_SEVERAL = "NET-02" Warning: "a Service selects one workload"
    breaks "every other request lands at a program that does not know it"
    remedy "narrow the selector to the labels of one workload"
    cause "service-selects-several"
    check "kubernetes.services"
    look selects_several
}

rule! {
    /// A target by name must be the name of a container's port; otherwise the endpoints have no
    /// port at all.
    ///
    /// Source: Kubernetes, "Service", `targetPort`.
    NO_SUCH_PORT = "NET-03" Error: "a Service's target is a port of its pods"
    breaks "the Service has endpoints without a port: every request is refused"
    remedy "use the name of a container's port, or its number"
    cause "port-mismatch"
    check "kubernetes.services"
    look no_such_port
}

fn selects_nothing(stack: &Stack<'_>, found: &mut Found) {
    // A tree of Services alone, or of another team's, says nothing of pods.
    if stack.workloads.is_empty() {
        return;
    }
    for service in &stack.services {
        let Some(selector) = service.object.at("spec.selector") else { continue };
        // Pods of operators are in no tree.
        let foreign = |label: &str| label.starts_with("cnpg.io/") || label.contains("acme");
        let labels = selector.entries();
        if labels.is_empty() || labels.iter().any(|entry| foreign(&entry.key)) {
            continue;
        }
        if service.selects(stack).is_empty() {
            let wanted: Vec<_> = labels
                .iter()
                .map(|it| format!("{}={}", it.key, it.node.scalar().unwrap_or_default()))
                .collect();
            let message = format!(
                "Service {} selects {}, which no pod has",
                service.object.name(),
                wanted.join(", ")
            );
            found.at(service.object, selector, message);
        }
    }
}

fn selects_several(stack: &Stack<'_>, found: &mut Found) {
    for service in &stack.services {
        let selected = service.selects(stack);
        let Some(selector) = service.object.at("spec.selector") else { continue };
        if selected.len() > 1 {
            let names: Vec<_> = selected.iter().map(|it| it.object.name()).collect();
            let message =
                format!("Service {} selects {}", service.object.name(), names.join(" and "));
            found.at(service.object, selector, message);
        }
    }
}

fn no_such_port(stack: &Stack<'_>, found: &mut Found) {
    for service in &stack.services {
        for workload in service.selects(stack) {
            for port in service.ports() {
                let Some(target) = port.target() else { continue };
                if target.as_str().is_some() && port.target_number(workload).is_none() {
                    let message = format!(
                        "{} is the name of no port of {}",
                        target.as_str().unwrap_or_default(),
                        workload.object
                    );
                    found.at(service.object, target, message);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, jitsi};

    fn with(selector: &str, port: &str) -> String {
        jitsi("web", "TZ: UTC", "hostNetwork: false")
            + &format!(
                "---\napiVersion: v1\nkind: Service\nmetadata: {{name: web}}\nspec:\n  selector: \
                 {selector}\n  ports: [{port}]\n"
            )
    }

    #[test]
    fn a_service_selects_what_is_there() {
        let good = with("{app: web}", "{port: 80}");
        for rule in ["NET-01", "NET-02", "NET-03"] {
            assert_eq!(found(rule, &good), [""; 0], "{rule}");
        }
        let message = &found("NET-01", &with("{app: jitsi-web}", "{port: 80}"))[0];
        assert!(message.ends_with("Service web selects app=jitsi-web, which no pod has"));
        let named = with("{app: web}", "{port: 80, targetPort: http}");
        let message = &found("NET-03", &named)[0];
        assert!(
            message.ends_with("http is the name of no port of Deployment jitsi-web"),
            "{message}"
        );
        let two = with("{app: web}", "{port: 80}")
            + "---\n"
            + &jitsi("jvb", "TZ: UTC", "hostNetwork: false").replace("{app: jvb}", "{app: web}");
        assert_eq!(found("NET-02", &two).len(), 1);
    }
}
