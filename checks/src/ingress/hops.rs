//! The way from a pod outwards to the name, hop by hop.

use mxdoctor_model::{Evidence, EvidenceKind, Finding, Outcome, Vantage};
use mxdoctor_probes::kube::{Api, ApiError, Hop, HopAnswer};
use mxdoctor_probes::manifest::{Entry, Node, Object};

use super::outside;
use crate::facts::{Endpoint, Role, StackHost};
use crate::kubernetes::{Footing, View, condition, unserved};
use crate::lint::view::{Container, Service, Workload};
use crate::{Cx, Unavailable};

/// A part of the stack with the hops to it.
pub(super) struct Way<'a> {
    pub(super) role: Role,
    pub(super) service: Service<'a>,
    /// The Service's port that is asked.
    port: String,
    /// One of the pods, with the port at which the application listens.
    pod: Option<(&'a Object, String)>,
    workload: &'a Object,
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

/// The parts with their Services and one pod of each.
pub(super) fn ways<'a>(view: &View<'a>) -> Vec<Way<'a>> {
    let stack = &view.stack;
    let synapse = stack.synapse.iter().filter_map(|part| part.workload);
    let element = stack.element.iter().filter_map(|part| part.workload);
    let jitsi = stack.jitsi.web.map(|part| (part.workload, part.container));
    synapse
        .map(|run| (Role::Homeserver, run))
        .chain(element.map(|run| (Role::Element, run)))
        .chain(jitsi.map(|run| (Role::Jitsi, run)))
        .filter(|(_, (workload, _))| workload.object.kind() != "Pod")
        .filter_map(|(role, (workload, container))| way(view, role, &workload, &container))
        .collect()
}

fn way<'a>(
    view: &View<'a>,
    role: Role,
    workload: &Workload<'a>,
    container: &Container<'a>,
) -> Option<Way<'a>> {
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
    let target = listens(container).or_else(|| port.target_number(workload));
    let pod = view
        .own("Pod")
        .filter(|pod| labelled(pod, workload.labels))
        .max_by_key(|pod| condition(pod, "Ready").is_some_and(|c| c.status == "True"));
    Some(Way {
        role,
        service,
        port: port.number()?.to_string(),
        pod: pod.zip(target).map(|(pod, port)| (pod, port.to_string())),
        workload: workload.object,
    })
}

/// The port at which the application itself says that it listens: that of its probes. What the
/// Service says may be what is wrong.
fn listens(container: &Container<'_>) -> Option<i64> {
    let ports = container.ports();
    container.probes().find_map(|probe| {
        let port = probe.port()?;
        let named = |declared: &&Node| declared.str("name") == port.as_str();
        let by_name = || ports.iter().find(named)?.i64("containerPort");
        port.scalar()?.parse().ok().or_else(by_name)
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

/// Asks the hops from the pod outwards; the first that does not answer is the verdict.
pub(super) async fn look(
    cx: &Cx,
    api: &Api,
    view: &View<'_>,
    way: &Way<'_>,
    host: Option<&StackHost>,
) -> Result<Finding, Unavailable> {
    let path = path(way.role);
    let inner = async {
        match &way.pod {
            Some((pod, port)) => ask(api, &Hop::Pod(pod.name().into(), port.clone()), path).await,
            None => Ok(Met::Bad("there is no pod".into())),
        }
    };
    let at_service = Hop::Service(way.service.object.name().into(), way.port.clone());
    let middle = ask(api, &at_service, path);
    let (inner, middle) = match futures_util::join!(inner, middle) {
        (Ok(inner), Ok(middle)) => (inner, middle),
        (Err(error), _) | (_, Err(error)) => {
            return Ok(Finding::error_of("cluster-not-asked", error.to_string()));
        }
    };
    let (pod, service) = (way.pod_named(), format!("{}:{}", way.service.object, way.port));
    let evidence = [(&pod, &inner), (&service, &middle)].map(|(name, met)| {
        Evidence::new(EvidenceKind::Request, format!("GET {path} at {name}: {}", met.told()))
    });
    if let Some(resource) = forbidden(&inner, &middle) {
        return Ok(Finding::skip(format!(
            "{resource} may not be used; missing rule: Role in namespace {}: apiGroups: [\"\"], \
             resources: [services/proxy, pods/proxy], verbs: [get]",
            api.namespace
        )));
    }
    let (mut finding, ends_at) = match (&inner, &middle) {
        (Met::Bad(why), Met::Bad(_)) => at_pod(view, way, &pod, why),
        (Met::Good(_), Met::Bad(why)) => at_service_of(view, way, &pod, &service, why),
        _ => match host {
            Some(host) => outside::look(cx, view, way, host, path).await?,
            None => {
                let text = format!("{pod} and {service} answer; no name is known here");
                (Finding::pass(text), way.service.object)
            }
        },
    };
    // What an object stands on is asked of a way that ends alone: to know it takes a look at all.
    if finding.outcome == Outcome::Fail {
        finding.about = Footing::new(view).of(ends_at.to_string());
        if let Some(host) = host.filter(|_| cx.vantage() != Vantage::Cluster) {
            finding.about.push(format!("Host {}", Endpoint::new(&host.host, host.port)));
        }
    }
    Ok(finding.evidences(evidence))
}

fn forbidden(inner: &Met, middle: &Met) -> Option<&'static str> {
    match (inner, middle) {
        (Met::Forbidden, _) => Some("pods/proxy"),
        (_, Met::Forbidden) => Some("services/proxy"),
        _ => None,
    }
}

/// The pod does not answer: either there is none, or what runs in it is at fault.
fn at_pod<'a>(view: &View<'a>, way: &Way<'a>, pod: &str, why: &str) -> (Finding, &'a Object) {
    match way.pod {
        Some((object, _)) => {
            let text = format!("it ends at {pod}, which does not answer: {why}");
            (Finding::fail(down(way.role), text), object)
        }
        None => {
            let said = unserved(view, way.service.object);
            let cause = said.and_then(|finding| finding.cause).unwrap_or("endpoints-not-ready");
            let text = format!("it ends at {}: {why}", way.workload);
            (Finding::fail(cause, text), way.workload)
        }
    }
}

/// The pod answers and the Service does not.
fn at_service_of<'a>(
    view: &View<'a>,
    way: &Way<'a>,
    pod: &str,
    service: &str,
    why: &str,
) -> (Finding, &'a Object) {
    let object = way.service.object;
    let begins = format!("it ends at {object}: {pod} answers, {service} does not");
    let finding = match unserved(view, object) {
        Some(known) => {
            let text = format!("{begins}: {}", known.summary);
            Finding::fail(known.cause.unwrap_or("endpoints-not-ready"), text)
        }
        None => Finding::fail("service-port-unresolved", format!("{begins}: {why}")),
    };
    (finding, object)
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

impl Way<'_> {
    /// `Pod synapse-5c9-x2:8008`.
    pub(super) fn pod_named(&self) -> String {
        self.pod.as_ref().map_or("no pod".to_owned(), |(pod, port)| format!("{pod}:{port}"))
    }
}

impl Met {
    fn told(&self) -> &str {
        match self {
            Self::Good(text) | Self::Bad(text) => text,
            Self::Forbidden => "not permitted",
        }
    }
}
