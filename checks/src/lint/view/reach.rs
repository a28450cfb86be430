//! How requests reach a workload: Services, and the routes of ingresses and tunnels.

use mxdoctor_probes::manifest::{Node, Object, Place};

use super::{Container, Workload};
use crate::lint::Stack;

/// A Service.
#[derive(Debug, Clone, Copy)]
pub struct Service<'a> {
    /// The object.
    pub object: &'a Object,
}

/// A port of a Service.
#[derive(Debug, Clone, Copy)]
pub struct ServicePort<'a> {
    /// Its part of the Service.
    pub node: &'a Node,
}

/// What kind of object a route stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteKind {
    /// Traefik's own.
    IngressRoute,
    /// Kubernetes' own.
    Ingress,
    /// Of the Gateway API.
    HttpRoute,
    /// Cloudflare's tunnel, from the internet past every ingress.
    TunnelBinding,
}

/// A way by which a host name comes to a Service.
#[derive(Debug, Clone)]
pub struct Route<'a> {
    /// The object that it stands in.
    pub object: &'a Object,
    /// What kind of object.
    pub kind: RouteKind,
    /// The host name; none where it takes any.
    pub host: Option<&'a str>,
    /// Where the host name (or the rule with it) stands.
    pub place: Place,
    /// The path or the rule that narrows it, as it is written: an Ingress's path, a tunnel's
    /// regular expression, an IngressRoute's whole `match`.
    pub path: Option<&'a Node>,
    /// The Service's name, with where it stands.
    pub service: Option<&'a Node>,
    /// The Service's port, a number or a name; none where the kind takes the first.
    pub port: Option<&'a Node>,
    /// The namespace that the Service is named in; none for the object's own.
    pub namespace: Option<&'a str>,
    /// The route's own part of the object: an IngressRoute's `routes` item, a tunnel's subject.
    pub node: &'a Node,
}

impl<'a> Service<'a> {
    /// Its ports.
    pub fn ports(&self) -> impl Iterator<Item = ServicePort<'a>> + use<'a> {
        self.object.node.list("spec.ports").iter().map(|node| ServicePort { node })
    }

    /// The port of a number or name.
    pub fn port(&self, wanted: &str) -> Option<ServicePort<'a>> {
        self.ports().find(|port| {
            port.number().is_some_and(|number| number.to_string() == wanted)
                || port.name() == Some(wanted)
        })
    }

    /// The workloads that its selector selects.
    pub fn selects<'s>(&self, stack: &'s Stack<'a>) -> Vec<&'s Workload<'a>> {
        let some = stack.labels.workloads(self).into_iter();
        let some = some.filter_map(|at| stack.workloads.get(at));
        some.filter(|workload| self.takes(workload)).collect()
    }

    /// Whether its selector selects a workload.
    pub fn takes(&self, workload: &Workload<'a>) -> bool {
        let (one, other) = (workload.object.namespace(), self.object.namespace());
        let here = one.is_none() || other.is_none() || one == other;
        here && workload.has(self.object.node.map("spec.selector")) && !workload.runs_once()
    }
}

impl Workload<'_> {
    /// Whether its pods end: a Job's or a CronJob's.
    pub fn runs_once(&self) -> bool {
        matches!(self.object.kind(), "Job" | "CronJob")
    }
}

impl<'a> ServicePort<'a> {
    /// Its number.
    pub fn number(&self) -> Option<i64> {
        self.node.i64("port")
    }

    /// Its name.
    pub fn name(&self) -> Option<&'a str> {
        self.node.str("name")
    }

    /// `TCP` unless it says otherwise.
    pub fn protocol(&self) -> &'a str {
        self.node.str("protocol").unwrap_or("TCP")
    }

    /// The port of the pods, a number or a name; the Service's own number where it says none.
    pub fn target(&self) -> Option<&'a Node> {
        self.node.get("targetPort").or_else(|| self.node.get("port"))
    }

    /// The number of the pods' port in a workload; none where a name is not among its ports.
    pub fn target_number(&self, workload: &Workload<'a>) -> Option<i64> {
        let target = self.target()?;
        if let Some(number) = target.scalar().and_then(|text| text.parse().ok()) {
            return Some(number);
        }
        let name = target.as_str()?;
        // One that starts before the others and stays is a neighbour like any other.
        let stays = |it: &Container<'a>| !it.init || it.node.str("restartPolicy") == Some("Always");
        workload
            .containers()
            .into_iter()
            .filter(stays)
            .flat_map(|container| container.ports())
            .find(|port| port.str("name") == Some(name))?
            .i64("containerPort")
    }
}

impl<'a> Route<'a> {
    /// The Service that it leads to, where the inventory has it.
    pub fn target(&self, stack: &Stack<'a>) -> Option<Service<'a>> {
        let name = self.service?.as_str()?;
        let found = match self.namespace {
            Some(namespace) => stack
                .inventory
                .named("Service", name)
                .find(|service| service.namespace().is_none_or(|own| own == namespace)),
            None => stack.inventory.beside(self.object, "Service", name),
        };
        found.map(|object| Service { object })
    }

    /// Whether it takes requests for a host name: its own, one below its star, or any. A name that
    /// is put in while it is applied may be each.
    pub fn takes(&self, host: &str) -> bool {
        let Some(own) = self.host else { return true };
        match own.strip_prefix("*.") {
            _ if own.contains("${") => true,
            Some(rest) => host.strip_suffix(rest).is_some_and(|head| head.ends_with('.')),
            None => own.eq_ignore_ascii_case(host),
        }
    }

    /// The Middlewares of Traefik that it names, as far as the inventory has them.
    pub fn middlewares(&self, stack: &Stack<'a>) -> Vec<&'a Object> {
        let named = self.node.list("middlewares").iter().filter_map(|it| it.str("name"));
        named.filter_map(|name| stack.inventory.beside(self.object, "Middleware", name)).collect()
    }
}

/// The routes of an object.
pub(super) fn routes(object: &Object) -> Vec<Route<'_>> {
    match object.kind() {
        "IngressRoute" => ingress_route(object),
        "Ingress" => ingress(object),
        "HTTPRoute" => http_route(object),
        "TunnelBinding" => tunnel(object),
        _ => Vec::new(),
    }
}

fn ingress_route(object: &Object) -> Vec<Route<'_>> {
    let mut all = Vec::new();
    for node in object.node.list("spec.routes") {
        let Some(rule) = node.get("match") else { continue };
        let mut hosts: Vec<_> = hosts(rule.as_str().unwrap_or_default()).map(Some).collect();
        if hosts.is_empty() {
            hosts.push(None);
        }
        for service in node.list("services") {
            all.extend(hosts.iter().map(|host| Route {
                object,
                kind: RouteKind::IngressRoute,
                host: *host,
                place: rule.place.clone(),
                path: Some(rule),
                service: service.get("name"),
                port: service.get("port"),
                namespace: service.str("namespace"),
                node,
            }));
        }
    }
    all
}

/// The names in ``Host(`a`)`` and ``Host("a")`` of a rule, and in version 2's lists of them.
fn hosts(rule: &str) -> impl Iterator<Item = &str> {
    rule.split("Host(").skip(1).flat_map(|rest| {
        let arguments = rest.split(')').next().unwrap_or_default();
        arguments.split(',').filter_map(|name| {
            let name = name.trim().trim_matches(['`', '"', '\'']);
            (!name.is_empty()).then_some(name)
        })
    })
}

fn ingress(object: &Object) -> Vec<Route<'_>> {
    let mut all = Vec::new();
    for rule in object.node.list("spec.rules") {
        let host = rule.get("host");
        for node in rule.list("http.paths") {
            let service = node.at("backend.service");
            all.push(Route {
                object,
                kind: RouteKind::Ingress,
                host: host.and_then(Node::as_str),
                place: host.map_or_else(|| rule.place.clone(), |host| host.place.clone()),
                path: node.get("path"),
                service: service.and_then(|service| service.get("name")),
                port: service.and_then(|s| s.at("port.number").or_else(|| s.at("port.name"))),
                namespace: None,
                node,
            });
        }
    }
    all
}

fn http_route(object: &Object) -> Vec<Route<'_>> {
    let mut all = Vec::new();
    let names = object.node.list("spec.hostnames");
    // Without names it has those of its Gateway's listener.
    let hosts: Vec<_> = match names {
        [] => vec![(None, object.place())],
        names => names.iter().map(|it| (it.as_str(), &it.place)).collect(),
    };
    for node in object.node.list("spec.rules") {
        let mut services = vec![None];
        let backends = node.list("backendRefs").iter();
        // One of another kind is no Service, and a redirect has none at all.
        services.extend(
            backends.filter(|it| it.str("kind").is_none_or(|it| it == "Service")).map(Some),
        );
        if services.len() > 1 {
            services.remove(0);
        }
        for service in services {
            all.extend(hosts.iter().map(|(host, place)| Route {
                object,
                kind: RouteKind::HttpRoute,
                host: *host,
                place: (*place).clone(),
                path: node.at("matches.0.path.value"),
                service: service.and_then(|it| it.get("name")),
                port: service.and_then(|it| it.get("port")),
                namespace: service.and_then(|it| it.str("namespace")),
                node,
            }));
        }
    }
    all
}

fn tunnel(object: &Object) -> Vec<Route<'_>> {
    let subjects = object.node.list("subjects").iter();
    subjects
        .map(|node| Route {
            object,
            kind: RouteKind::TunnelBinding,
            host: node.str("spec.fqdn"),
            place: node.at("spec.fqdn").map_or_else(|| node.place.clone(), |n| n.place.clone()),
            path: node.at("spec.path"),
            service: node.get("name"),
            port: None,
            namespace: None,
            node,
        })
        .collect()
}
