//! What a Service selects, and on which port.

use mxdoctor_probes::manifest::Entry;

use crate::lint::view::{Service, Workload};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A Service whose selector fits no pod has no endpoints. Traefik then drops the route and
    /// answers 404, as if the host name were wrong.
    ///
    /// Silent about labels that controllers give to pods, and, where charts or operators that are
    /// not known make objects, about a Service that resembles none of the workloads.
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
    /// Silent about headless Services, which are for looking up and for metrics, and where all
    /// that is selected runs the same image: workers, or the old and the new of one.
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
    let open = stack.is_open();
    for service in &stack.services {
        let Some(selector) = service.object.at("spec.selector") else { continue };
        let labels = selector.entries();
        if labels.is_empty() || labels.iter().any(|entry| is_foreign(stack, &entry.key)) {
            continue;
        }
        if service.selects(stack).is_empty() && (!open || resembles(stack, service, labels)) {
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

/// Whether a label is one that controllers give to their pods: of a domain, and in no template.
fn is_foreign(stack: &Stack<'_>, key: &str) -> bool {
    let common = !key.contains('/') || key.starts_with("app.kubernetes.io/");
    // Pods that an operator has made itself are seen in a live namespace.
    let mut templates = stack.workloads.iter().filter(|it| it.object.kind() != "Pod");
    key.contains("acme") || !common && templates.all(|it| it.label(key).is_none())
}

/// Whether a workload has the Service's name, or a value of its selector under another key.
fn resembles(stack: &Stack<'_>, service: &Service<'_>, selector: &[Entry]) -> bool {
    let values = || selector.iter().filter_map(|label| Some((&label.key, label.node.scalar()?)));
    stack.workloads.iter().any(|workload| {
        let name = workload.object.name();
        let labelled = |(key, value): (&String, &str)| {
            name == value
                || workload
                    .labels
                    .iter()
                    .any(|it| it.key != *key && it.node.scalar() == Some(value))
        };
        name == service.object.name() || values().any(labelled)
    })
}

fn selects_several(stack: &Stack<'_>, found: &mut Found) {
    for service in &stack.services {
        let selected = service.selects(stack);
        let Some(selector) = service.object.at("spec.selector") else { continue };
        let headless = service.object.node.str("spec.clusterIP") == Some("None");
        let first = selected.first().map(|workload| images(workload));
        let same = selected.iter().all(|it| Some(images(it)) == first);
        if selected.len() > 1 && !headless && !same {
            let names: Vec<_> = selected.iter().map(|it| it.object.name()).collect();
            let message =
                format!("Service {} selects {}", service.object.name(), names.join(" and "));
            found.at(service.object, selector, message);
        }
    }
}

/// The images that a workload runs, without their tags.
fn images<'a>(workload: &Workload<'a>) -> Vec<&'a str> {
    workload.main().filter_map(|it| it.image()).map(|image| image.repository).collect()
}

fn no_such_port(stack: &Stack<'_>, found: &mut Found) {
    for service in &stack.services {
        let selected = service.selects(stack);
        let Some(first) = selected.first() else { continue };
        for port in service.ports() {
            let Some(target) = port.target() else { continue };
            // Of several workloads those without the port are simply no endpoints of it.
            let has = selected.iter().any(|workload| port.target_number(workload).is_some());
            if let (Some(name), false) = (target.as_str(), has) {
                let message = format!("{name} is the name of no port of {}", first.object);
                found.at(service.object, target, message);
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

    #[test]
    fn what_others_make_is_not_missed() {
        // The pods of an operator, by labels that it gives.
        let one = with("{statefulset.kubernetes.io/pod-name: web-0}", "{port: 80}");
        assert_eq!(found("NET-01", &one), [""; 0]);
        let operator = "---\napiVersion: acid.zalan.do/v1\nkind: postgresql\nmetadata: {name: p}\n";
        let of_it =
            with("{application: spilo}", "{port: 5432}").replace("{name: web}", "{name: p}");
        assert_eq!(found("NET-01", &of_it).len(), 1);
        assert_eq!(found("NET-01", &(of_it + operator)), [""; 0]);
        let own = with("{app: jitsi-web}", "{port: 80}") + operator;
        assert_eq!(found("NET-01", &own).len(), 1, "it resembles a workload");
    }

    #[test]
    fn several_of_one_kind_are_meant() {
        let two = with("{app: web}", "{port: 80}")
            + "---\n"
            + &jitsi("jvb", "TZ: UTC", "hostNetwork: false").replace("{app: jvb}", "{app: web}");
        let headless = two.replace("spec:\n  selector", "spec:\n  clusterIP: None\n  selector");
        assert_eq!(found("NET-02", &headless), [""; 0]);
        let same = two.replace("jitsi/jvb:stable-10741", "jitsi/web:stable-10888");
        assert_eq!(found("NET-02", &same), [""; 0]);
        let port = two.replace("{port: 80}", "{port: 80, targetPort: http}");
        assert_eq!(found("NET-03", &port).len(), 1, "none of them has it");
        let has = port.replacen(
            "[{containerPort: 10000",
            "[{name: http, containerPort: 80}, {containerPort: 10000",
            1,
        );
        assert_eq!(found("NET-03", &has), [""; 0]);
    }
}
