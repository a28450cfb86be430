//! Listeners that are for nobody outside.

use mxdoctor_probes::manifest::Node;

use crate::lint::view::{RouteKind, Synapse};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Metrics tell who is there and when; the manhole is a shell inside Synapse. A tunnel takes
    /// the first port of a Service, whatever its name, so metrics belong to a Service of their
    /// own, and the manhole to none.
    ///
    /// Source: Synapse, `listeners[].type`; cloudflare-operator, `tunnelbinding_controller.go`.
    EXPOSED = "SYN-30" Warning: "metrics and the manhole are not on the way from outside"
    breaks "the internet reads the metrics; the manhole is open to the whole cluster"
    remedy "give metrics a Service of their own, and the manhole none"
    cause "metrics-public"
    check "kubernetes.services"
    look exposed
}

/// The private listeners' ports, and what each is for.
pub(super) fn private(synapse: &Synapse<'_>) -> Vec<(i64, &'static str)> {
    let Some((_, list)) = synapse.option("listeners") else { return Vec::new() };
    let what = |listener: &Node| match listener.str("type") {
        Some("manhole") => Some("manhole"),
        Some("metrics") => Some("metrics"),
        _ => {
            let names: Vec<&str> = listener
                .list("resources")
                .iter()
                .flat_map(|resource| resource.list("names"))
                .filter_map(Node::as_str)
                .collect();
            let alone = |what: &str| !names.is_empty() && names.iter().all(|name| *name == what);
            ["metrics", "replication"].into_iter().find(|what| alone(what))
        }
    };
    list.items().iter().filter_map(|it| Some((it.i64("port")?, what(it)?))).collect()
}

fn exposed(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        let private = private(synapse);
        let Some((workload, _)) = &synapse.workload else { continue };
        for service in stack.services_of(workload) {
            for (index, port) in service.ports().enumerate() {
                let number = port.target_number(workload);
                let Some((_, what)) = private.iter().find(|(of, _)| Some(*of) == number) else {
                    continue;
                };
                let name = service.object.name();
                if *what == "manhole" {
                    let message = format!("Service {name} leads to the manhole");
                    found.at(service.object, port.node, message);
                    continue;
                }
                let leads = stack.routes.iter().find(|route| {
                    let here = route.target(stack);
                    here.is_some_and(|it| std::ptr::eq(it.object, service.object))
                        && match route.kind {
                            RouteKind::TunnelBinding => {
                                index == 0 && route.node.at("spec.target").is_none()
                            }
                            _ => route.port.and_then(Node::scalar).is_some_and(|wanted| {
                                port.name() == Some(wanted)
                                    || port.number().is_some_and(|it| it.to_string() == wanted)
                            }),
                        }
                });
                if let Some(route) = leads {
                    let host = route.host.unwrap_or("every host");
                    let message = format!("{host} leads to Synapse's {what}");
                    found
                        .at(service.object, port.node, message)
                        .also_place(&route.place, "by this route");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    fn with(kind: &str, ports: &str) -> String {
        let listeners = format!("listeners:\n- {{port: 8008}}\n- {{port: 9000, type: {kind}}}");
        synapse(&listeners)
            + "---\napiVersion: v1\nkind: Service\nmetadata: {name: synapse}\nspec:\n  selector: \
               {app: synapse}\n  ports: "
            + ports
            + "\n---\napiVersion: networking.cfargotunnel.com/v1alpha1\nkind: TunnelBinding\n\
               metadata: {name: t}\nsubjects: [{name: synapse, spec: {fqdn: a.example}}]\n"
    }

    #[test]
    fn what_is_private_stays_inside() {
        let first = with("metrics", "[{name: m, port: 9000}, {name: http, port: 8008}]");
        assert_eq!(found("SYN-30", &first), ["38:11 a.example leads to Synapse's metrics"]);
        let second = with("metrics", "[{name: http, port: 8008}, {name: m, port: 9000}]");
        assert_eq!(found("SYN-30", &second), [""; 0]);
        let shell = with("manhole", "[{name: http, port: 8008}, {name: m, port: 9000}]");
        assert_eq!(found("SYN-30", &shell), ["38:37 Service synapse leads to the manhole"]);
    }
}
