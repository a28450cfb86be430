//! The connections that the stack needs, as its own objects say.

use mxdoctor_probes::manifest::{Entry, Node, Object, Origin};

use super::super::jitsi::variable::{Variable, is_on, variable};
use crate::lint::Stack;
use crate::lint::view::policy::{Connection, End, Foreign};
use crate::lint::view::{JitsiPart, Route, RouteKind, Service, Synapse, Workload};

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The stack's own work.
    Work,
    /// Names, by UDP.
    Names,
    /// Names whose answers fit no datagram.
    LongNames,
    /// The operator's look at the database.
    Operator,
    /// The database's own look at the API server.
    Api,
}

/// A connection that the stack needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flow<'a> {
    pub(super) connection: Connection<'a>,
    pub(super) purpose: Purpose,
    /// What breaks without it, for a message: `its database`.
    pub(super) what: &'static str,
    /// The port of the Service in between, which is not that of the pods.
    pub(super) service_port: Option<i64>,
    /// Whether the other end is found by a name.
    by_name: bool,
}

/// Every connection that the inventory shows to be needed.
pub(super) fn flows<'a>(stack: &Stack<'a>) -> Vec<Flow<'a>> {
    let mut all = Vec::new();
    databases(stack, &mut all);
    federation(stack, &mut all);
    routes(stack, &mut all);
    jitsi(stack, &mut all);
    clusters(stack, &mut all);
    // What is in one pod, or on one node, goes past all policies.
    all.retain(|flow| {
        let Connection { from, to, .. } = &flow.connection;
        let one_pod = matches!(from, End::Pods(_)) && from.is(to);
        !one_pod && !on_one_node(stack, from, to)
    });
    names(&mut all);
    all
}

fn tcp<'a>(from: End<'a>, to: End<'a>, port: i64, what: &'static str) -> Flow<'a> {
    let connection = Connection { from, to, port, protocol: "TCP" };
    Flow { connection, purpose: Purpose::Work, what, service_port: None, by_name: false }
}

/// The ends behind a host name and port, each with the port of its pods.
fn behind<'a>(stack: &Stack<'a>, from: &Object, host: &str, port: i64) -> Vec<(End<'a>, i64)> {
    let mut parts = host.split('.');
    let name = parts.next().unwrap_or_default();
    let said = parts.next();
    // `name.namespace` and `name.namespace.svc…`; anything else is no Service.
    if parts.next().is_some_and(|third| third != "svc") {
        return Vec::new();
    }
    let here = |object: &&Object| match (said.or(from.namespace()), object.namespace()) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    };
    let is_service = |cluster: &&Object| {
        let kind = name.strip_prefix(cluster.name()).and_then(|rest| rest.strip_prefix('-'));
        matches!(kind, Some("rw" | "ro" | "r"))
    };
    if let Some(cluster) = databases_of(stack).filter(here).find(is_service) {
        return vec![(End::Instances(cluster), port)];
    }
    let Some(object) = stack.inventory.named("Service", name).find(here) else { return Vec::new() };
    let service = Service { object };
    service.port(&port.to_string()).map_or_else(Vec::new, |it| {
        let selected = service.selects(stack).into_iter();
        selected
            .filter_map(|workload| Some((End::Pods(*workload), it.target_number(workload)?)))
            .collect()
    })
}

fn databases_of<'a>(stack: &Stack<'a>) -> impl Iterator<Item = &'a Object> {
    let all = stack.inventory.of_kind("Cluster");
    all.filter(|object| object.group() == "postgresql.cnpg.io")
}

/// Adds the connections from a workload to what is behind a host name.
fn dial<'a>(
    stack: &Stack<'a>,
    from: &Workload<'a>,
    (host, port): (&str, i64),
    what: &'static str,
    all: &mut Vec<Flow<'a>>,
) {
    for (to, number) in behind(stack, from.object, host, port) {
        let flow = tcp(End::Pods(*from), to, number, what);
        let service_port = (number != port).then_some(port);
        add(Flow { service_port, by_name: true, ..flow }, all);
    }
}

/// Who dials a database: Synapse, and whatever is given libpq's variables.
fn databases<'a>(stack: &Stack<'a>, all: &mut Vec<Flow<'a>>) {
    for synapse in &stack.synapse {
        let Some((workload, _)) = &synapse.workload else { continue };
        let Some((_, host)) = synapse.option("database.args.host") else { continue };
        let port = synapse.option("database.args.port").map_or(Some(5432), |(_, it)| number(it));
        if let (Some(host), Some(port)) = (host.as_str(), port) {
            dial(stack, workload, (host, port), "its database", all);
        }
    }
    for workload in &stack.workloads {
        for container in workload.containers() {
            let env = |name| container.env_value(stack, workload, name);
            let host = env("PGHOST").and_then(|env| env.known());
            let port = env("PGPORT").map_or(Some(5432), |env| env.known()?.parse().ok());
            if let (Some(host), Some(port)) = (host, port) {
                dial(stack, workload, (host, port), "its database", all);
            }
        }
    }
}

fn number(node: &Node) -> Option<i64> {
    node.scalar()?.parse().ok()
}

/// Synapse's way to other servers, where it federates with everybody and goes by no proxy.
fn federation<'a>(stack: &Stack<'a>, all: &mut Vec<Flow<'a>>) {
    for synapse in stack.synapse.iter().filter(|synapse| synapse.is_whole()) {
        let Some((workload, container)) = &synapse.workload else { continue };
        let proxies = ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"];
        let mut proxies = proxies.into_iter();
        if !federates(synapse)
            || container.env_is_open(stack, workload)
            || proxies.any(|name| container.env_value(stack, workload, name).is_some())
        {
            continue;
        }
        for port in [443, 8448] {
            let flow = tcp(End::Pods(*workload), End::Internet, port, "other servers");
            all.push(Flow { by_name: true, ..flow });
        }
    }
}

/// Whether the main process itself talks to any server of the world.
fn federates(synapse: &Synapse<'_>) -> bool {
    const RESTRICTS: &[&str] = &[
        "federation_domain_whitelist",
        "send_federation",
        "federation_sender_instances",
        "outbound_federation_restricted_to",
    ];
    let listeners = synapse.option("listeners").map_or(&[][..], |(_, list)| list.items());
    let mut names = listeners
        .iter()
        .flat_map(|listener| listener.list("resources"))
        .flat_map(|resource| resource.list("names"));
    names.any(|name| name.as_str() == Some("federation"))
        && RESTRICTS.iter().all(|option| synapse.option(option).is_none())
}

/// The ways of the routes: from Traefik, another ingress, or cloudflared.
fn routes<'a>(stack: &Stack<'a>, all: &mut Vec<Flow<'a>>) {
    for route in &stack.routes {
        let Some(service) = route.target(stack) else { continue };
        let port = match route.kind {
            RouteKind::TunnelBinding if route.node.at("spec.target").is_some() => continue,
            // Of several ports it takes the first, which is a mistake of its own if it is wrong.
            RouteKind::TunnelBinding => {
                service.ports().next().filter(|_| service.ports().count() == 1)
            }
            _ => route.port.and_then(Node::scalar).and_then(|wanted| service.port(wanted)),
        };
        let Some(port) = port else { continue };
        for workload in service.selects(stack) {
            let Some(number) = port.target_number(workload).filter(|it| is_declared(workload, *it))
            else {
                continue;
            };
            let Some(from) = controller(stack, route) else { continue };
            let flow = tcp(from, End::Pods(*workload), number, "people");
            let service_port = port.number().filter(|own| *own != number);
            add(Flow { service_port, ..flow }, all);
        }
    }
}

/// Whether a workload says of a port that it listens there, or says nothing of its ports. Where
/// it says others, the Service is wrong and not the policy.
fn is_declared(workload: &Workload<'_>, number: i64) -> bool {
    let declared: Vec<i64> = workload
        .main()
        .flat_map(|container| container.ports())
        .filter_map(|port| port.i64("containerPort"))
        .collect();
    declared.is_empty() || declared.contains(&number)
}

/// Adds a connection that is not there yet.
fn add<'a>(flow: Flow<'a>, all: &mut Vec<Flow<'a>>) {
    let key = |flow: &Flow<'_>| {
        let Connection { from, to, port, .. } = &flow.connection;
        (from.to_string(), from.namespace().map(str::to_owned), to.to_string(), *port)
    };
    if !all.iter().any(|one| key(one) == key(&flow)) {
        all.push(flow);
    }
}

/// Who sends a route's requests on: the one workload of the inventory that does such a thing, or
/// else a stranger.
fn controller<'a>(stack: &Stack<'a>, route: &Route<'a>) -> Option<End<'a>> {
    let (image, name) = match route.kind {
        RouteKind::IngressRoute => ("traefik", "Traefik"),
        RouteKind::Ingress | RouteKind::HttpRoute => ("", "the ingress controller"),
        RouteKind::TunnelBinding => ("cloudflared", "cloudflared"),
    };
    let reference = route.object.at("tunnelRef");
    let mut shown = stack.running(&[image]);
    // The operator's Deployment has the name of the tunnel.
    if let Some(tunnel) = reference.and_then(|it| it.str("name")) {
        shown.retain(|(workload, _)| workload.object.name() == tunnel);
    }
    match shown[..] {
        [] => {}
        [(workload, _)] => return Some(End::Pods(workload)),
        // Which of them it is cannot be told.
        _ => return None,
    }
    // The pods of a Tunnel are beside their binding; those of a ClusterTunnel beside the operator.
    let tunnel = reference.and_then(|it| it.str("kind")) == Some("Tunnel");
    let namespace = route.object.namespace().filter(|_| tunnel);
    let elsewhere = !tunnel && !image.is_empty() && is_live(stack);
    Some(End::Foreign(Foreign { name, namespace, elsewhere }))
}

/// Whether every pod of the stack's namespace is in the inventory.
fn is_live(stack: &Stack<'_>) -> bool {
    stack.inventory.origin == Origin::Live
}

fn jitsi<'a>(stack: &Stack<'a>, all: &mut Vec<Flow<'a>>) {
    let given = |part: &JitsiPart<'a>, name| match variable(stack, part, name) {
        Variable::Given(env) => env.known().map(str::to_owned),
        Variable::Missing | Variable::Unknown => None,
    };
    for part in stack.jitsi.jicofo.iter().chain(&stack.jitsi.jvb) {
        let port = match variable(stack, part, "XMPP_PORT") {
            Variable::Given(env) => env.known().and_then(|text| text.parse().ok()),
            Variable::Missing => Some(5222),
            Variable::Unknown => None,
        };
        let servers = given(part, "XMPP_SERVER").unwrap_or_default();
        for server in servers.split([',', ' ']).filter(|server| !server.is_empty()) {
            // `host:port` stands for itself.
            let (host, own) = server
                .split_once(':')
                .map_or((server, None), |(host, port)| (host, Some(port.parse::<i64>().ok())));
            if let Some(port) = own.unwrap_or(port) {
                dial(stack, &part.workload, (host, port), "Prosody", all);
            }
        }
    }
    let Some(web) = &stack.jitsi.web else { return };
    if let Some(base) = given(web, "XMPP_BOSH_URL_BASE")
        && let Ok(url) = url::Url::parse(&base)
        && let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default())
    {
        dial(stack, &web.workload, (host, i64::from(port)), "Prosody", all);
    }
    // Without the expression nginx sends nothing to a bridge on the host's network.
    let finds = matches!(variable(stack, web, "COLIBRI_WEBSOCKET_REGEX"), Variable::Given(_));
    if finds && is_on(stack, web, "ENABLE_COLIBRI_WEBSOCKET") == Some(true) {
        for bridge in &stack.jitsi.jvb {
            let (from, to) = (End::Pods(web.workload), End::Pods(bridge.workload));
            all.push(tcp(from, to, 9090, "the bridge's websocket"));
        }
    }
}

/// What a Cluster needs of its operator, the API server and its other instances.
fn clusters<'a>(stack: &Stack<'a>, all: &mut Vec<Flow<'a>>) {
    for cluster in databases_of(stack) {
        let to = End::Instances(cluster);
        let operators = stack.running(&["cloudnative-pg"]);
        let mut operators: Vec<_> = operators.into_iter().map(|(it, _)| End::Pods(it)).collect();
        if operators.is_empty() {
            let (namespace, elsewhere) = (None, is_live(stack));
            let name = "the operator CloudNativePG";
            operators.push(End::Foreign(Foreign { name, namespace, elsewhere }));
        }
        for from in operators {
            for port in [8000, 5432] {
                let flow = tcp(from, to, port, "the database");
                all.push(Flow { purpose: Purpose::Operator, ..flow });
            }
        }
        if cluster.at("spec.instances").and_then(Node::as_i64).is_some_and(|count| count > 1) {
            all.push(Flow { by_name: true, ..tcp(to, to, 5432, "their primary") });
        }
        let flow = tcp(to, End::Api, 443, "the API server");
        all.push(Flow { purpose: Purpose::Api, ..flow });
    }
}

/// Whoever finds somebody by name asks the name servers first.
fn names(all: &mut Vec<Flow<'_>>) {
    let mut askers: Vec<End<'_>> = Vec::new();
    for flow in all.iter().filter(|flow| flow.by_name) {
        let from = flow.connection.from;
        if !askers.iter().any(|asker| asker.is(&from)) {
            askers.push(from);
        }
    }
    for from in askers {
        for (protocol, purpose) in [("UDP", Purpose::Names), ("TCP", Purpose::LongNames)] {
            let flow = tcp(from, End::Dns, 53, "the name servers");
            let connection = Connection { protocol, ..flow.connection };
            all.push(Flow { connection, purpose, ..flow });
        }
    }
}

/// Whether an end is on the host's network of the one node that the other is on: a node's own
/// pods are always open to it.
fn on_one_node(stack: &Stack<'_>, one: &End<'_>, other: &End<'_>) -> bool {
    if !one.is_node() && !other.is_node() {
        return false;
    }
    if stack.inventory.of_kind("Node").count() == 1 {
        return true;
    }
    match (nodes(stack, one), nodes(stack, other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// The one node of an end's pods: of the pods themselves, or the one that their template names.
fn nodes<'a>(stack: &Stack<'a>, end: &End<'a>) -> Option<&'a str> {
    let End::Pods(workload) = end else { return None };
    let named = workload.pod.get("nodeSelector").and_then(|it| it.get("kubernetes.io/hostname"));
    let here = |pod: &&'a Object| {
        let labels = pod.labels();
        pod.namespace() == workload.object.namespace()
            && workload.labels.iter().all(|wanted| {
                let same = |it: &Entry| it.node.scalar() == wanted.node.scalar();
                labels.iter().any(|it| it.key == wanted.key && same(it))
            })
    };
    let pods = stack.inventory.of_kind("Pod").filter(here);
    let mut pods = pods.filter_map(|pod| pod.node.str("spec.nodeName"));
    match pods.next() {
        Some(first) => pods.all(|other| other == first).then_some(first),
        None => named.and_then(Node::as_str).or_else(|| workload.pod.str("nodeName")),
    }
}
