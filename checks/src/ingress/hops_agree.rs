//! `ingress.hops_agree`

use mxdoctor_model::{Evidence, EvidenceKind, Finding, Outcome};
use mxdoctor_probes::kube::{Api, ApiError, Hop, HopAnswer};
use mxdoctor_probes::manifest::{Entry, Object};

use super::url;
use crate::facts::{Ask, Cluster, ClusterApi, Fetched, Hosts, Role};
use crate::kubernetes::{View, absent};
use crate::lint::view::{Container, Service, Workload};
use crate::{Cx, Findings, Verdict, check};

check! {
    /// ## What it asserts
    /// The same request is answered by the pod, by the Service and at the name that is looked at
    /// from here (the public name, or the internal ingress). Else the first hop, from the pod
    /// outwards, that does not answer is named.
    ///
    /// Asked are `/_matrix/client/versions` of Synapse, `/config.json` of Element Web and `/` of
    /// Jitsi Meet, at the pod and the Service by way of the API server's proxy.
    ///
    /// ## Why it matters
    /// One wrong line breaks one hop, and every hop before it shows a page of its own. Traefik's
    /// `404 page not found` is as well said of a Service without endpoints as of a wrong host name.
    ///
    /// ## What makes it fail
    /// A hop that does not answer while the one behind it does.
    ///
    /// ## How to fix it
    /// The cause names the hop. It needs `get` on `services/proxy` and `pods/proxy`, which permits
    /// requests to every port of the namespace: grant it to a person, or for a while.
    ///
    /// ## Where it comes from
    /// Kubernetes documentation, "Access Services Running on Clusters"; the sources of Traefik.
    "ingress.hops_agree" at PIC: "the pod, the Service and the name give the same answer"
    causes [
        "homeserver-down",
        "element-down",
        "jitsi-web-down",
        "service-selects-nothing",
        "service-port-unresolved",
        "endpoints-not-ready",
        "network-policy-blocks",
        "ingress-route-missing",
        "ingress-default-certificate",
        "tunnel-down",
    ]
    timeout 55
}

/// A part of the stack with the hops to it.
struct Part {
    role: Role,
    service: String,
    service_port: String,
    pod: Option<(String, String)>,
}

/// What came of a hop.
enum Met {
    /// The application answers.
    Good(String),
    /// It does not, and what is said instead.
    Bad(String),
    /// We may not ask.
    Forbidden,
}

async fn run(cx: &Cx) -> Verdict {
    if cx.target().kubernetes.is_none() {
        return Ok(absent().into());
    }
    let api = cx.fact(ClusterApi).await?;
    let namespace = cx.fact(Cluster).await?;
    let needs = ["Service", "Pod", "Deployment", "StatefulSet"];
    if let Some(unseen) = crate::kubernetes::unseen(&namespace.snapshot, &needs) {
        return Ok(unseen.into());
    }
    let parts = parts(&View::new(&namespace.snapshot));
    if parts.is_empty() {
        return Ok(Finding::skip("no part of the stack has a Service in the namespace").into());
    }
    let mut findings = Vec::new();
    for part in &parts {
        findings.push(look(cx, &api, part).await?.on(part.role.as_str()));
    }
    Ok(findings.into_iter().collect::<Findings>())
}

/// The parts with their Services and one of their pods.
fn parts(view: &View<'_>) -> Vec<Part> {
    let stack = &view.stack;
    let synapse = stack.synapse.iter().filter_map(|part| part.workload);
    let element = stack.element.iter().filter_map(|part| part.workload);
    let jitsi = stack.jitsi.web.map(|part| (part.workload, part.container));
    synapse
        .map(|run| (Role::Homeserver, run))
        .chain(element.map(|run| (Role::Element, run)))
        .chain(jitsi.map(|run| (Role::Jitsi, run)))
        .filter(|(_, (workload, _))| workload.object.kind() != "Pod")
        .filter_map(|(role, (workload, container))| part(view, role, &workload, &container))
        .collect()
}

fn part(view: &View<'_>, role: Role, workload: &Workload<'_>, _: &Container<'_>) -> Option<Part> {
    let routed = view.stack.routes.iter().filter_map(|route| route.target(&view.stack));
    let selected = view.stack.services_of(workload);
    let named = |service: &Service<'_>| service.object.name() == workload.object.name();
    let own = view.own("Service").map(|object| Service { object }).filter(named);
    let routed: Vec<Service<'_>> = routed.collect();
    let in_route = |s: &&Service<'_>| routed.iter().any(|r| r.object.name() == s.object.name());
    let by_route = selected.iter().find(in_route).or(selected.first()).copied();
    // One whose selector is wrong still bears the workload's name.
    let service = by_route.or_else(|| own.into_iter().next())?;
    let port = service.ports().next()?;
    let target = port.target_number(workload);
    let pod = view.own("Pod").filter(|pod| labelled(pod, workload.labels)).max_by_key(|pod| {
        crate::kubernetes::condition(pod, "Ready").is_some_and(|c| c.status == "True")
    });
    Some(Part {
        role,
        service: service.object.name().to_owned(),
        service_port: port.number()?.to_string(),
        pod: pod.zip(target).map(|(pod, port)| (pod.name().to_owned(), port.to_string())),
    })
}

fn labelled(pod: &Object, labels: &[Entry]) -> bool {
    let has = |want: &Entry| {
        pod.labels().iter().any(|l| l.key == want.key && l.node.scalar() == want.node.scalar())
    };
    !labels.is_empty() && labels.iter().all(has)
}

fn path(role: Role) -> &'static str {
    match role {
        Role::Homeserver | Role::ServerName => "/_matrix/client/versions",
        Role::Element => "/config.json",
        Role::Jitsi => "/",
    }
}

/// Asks the hops from the pod outwards.
async fn look(cx: &Cx, api: &Api, part: &Part) -> Result<Finding, crate::Unavailable> {
    let path = path(part.role);
    let mut evidence = Vec::new();
    let inner = match &part.pod {
        Some((pod, port)) => ask(api, &Hop::Pod(pod.clone(), port.clone()), path).await,
        None => Ok(Met::Bad("there is no pod".into())),
    };
    let middle =
        ask(api, &Hop::Service(part.service.clone(), part.service_port.clone()), path).await;
    let (inner, middle) = match (inner, middle) {
        (Ok(inner), Ok(middle)) => (inner, middle),
        (Err(error), _) | (_, Err(error)) => {
            return Ok(Finding::error_of("cluster-not-asked", error.to_string()));
        }
    };
    let pod =
        part.pod.as_ref().map_or("no pod".to_owned(), |(pod, port)| format!("pod {pod}:{port}"));
    let service = format!("Service {}:{}", part.service, part.service_port);
    for (name, met) in [(&pod, &inner), (&service, &middle)] {
        evidence.push(Evidence::new(
            EvidenceKind::Request,
            format!("GET {path} at {name}: {}", met.told()),
        ));
    }
    let resource = match (&inner, &middle) {
        (Met::Forbidden, _) => Some("pods/proxy"),
        (_, Met::Forbidden) => Some("services/proxy"),
        _ => None,
    };
    if let Some(resource) = resource {
        return Ok(Finding::skip(format!(
            "{resource} may not be used; missing rule: Role in namespace {}: apiGroups: [\"\"], \
             resources: [services/proxy, pods/proxy], verbs: [get]",
            api.namespace
        )));
    }
    let finding = match (&inner, &middle) {
        (Met::Bad(why), Met::Bad(_)) => {
            let text = format!("it ends at the pod: {pod} does not answer ({why})");
            Finding::fail(
                if part.pod.is_none() { "endpoints-not-ready" } else { down(part.role) },
                text,
            )
        }
        (Met::Good(_), Met::Bad(why)) => {
            let cause = if why.contains("no endpoints available") {
                "service-selects-nothing"
            } else {
                "service-port-unresolved"
            };
            let text = format!("it ends at the Service: {pod} answers, {service} does not ({why})");
            Finding::fail(cause, text)
        }
        _ => outer(cx, part, path, &service).await?,
    };
    Ok(finding.evidences(evidence))
}

/// The hop that is looked at from here, behind which the Service answers.
async fn outer(
    cx: &Cx,
    part: &Part,
    path: &str,
    service: &str,
) -> Result<Finding, crate::Unavailable> {
    let hosts = cx.fact(Hosts).await?;
    let Some(host) = hosts.iter().find(|host| host.is(part.role)) else {
        return Ok(Finding::pass(format!("the pod and {service} answer; no name is known here")));
    };
    let by = match cx.fact(Fetched(Ask::get(url(host, path)))).await {
        Ok(exchange) => {
            let (response, name) = (exchange.last(), &host.host);
            let status = response.status.as_u16();
            return Ok(if status < 400 {
                Finding::pass(format!("the pod, {service} and {name} answer"))
            } else {
                let text =
                    format!("it ends before the Service: {service} answers, {name} gives {status}");
                Finding::fail("ingress-route-missing", text).likely()
            });
        }
        Err(by) => by,
    };
    if by.finding.outcome != Outcome::Fail {
        return Err(by);
    }
    let said = &by.finding.summary;
    let text =
        format!("it ends before the Service: {service} answers, {} does not ({said})", host.host);
    let cause = by.finding.cause.unwrap_or("ingress-route-missing");
    // The gateway has the Service and does not get through, and the API server does.
    let cut =
        ["homeserver-down", "element-down", "jitsi-web-down", "gateway-timeout", "backend-down"];
    Ok(if cut.contains(&cause) {
        Finding::fail("network-policy-blocks", text).likely()
    } else {
        Finding::fail(cause, text)
    })
}

fn down(role: Role) -> &'static str {
    match role {
        Role::Homeserver | Role::ServerName => "homeserver-down",
        Role::Element => "element-down",
        Role::Jitsi => "jitsi-web-down",
    }
}

async fn ask(api: &Api, hop: &Hop, path: &str) -> Result<Met, ApiError> {
    Ok(match api.hop(hop, path).await? {
        HopAnswer::Answer { status, .. } if status < 400 => Met::Good(status.to_string()),
        HopAnswer::Answer { status, .. } => Met::Bad(status.to_string()),
        HopAnswer::NoBackend(why) | HopAnswer::NotFound(why) => Met::Bad(why),
        HopAnswer::Forbidden(_) => Met::Forbidden,
    })
}

impl Met {
    fn told(&self) -> &str {
        match self {
            Self::Good(text) | Self::Bad(text) => text,
            Self::Forbidden => "not permitted",
        }
    }
}
