//! Which of the stack's connections its policies cut, and how to say it.

use mxdoctor_probes::manifest::{Node, Place};

use super::flows::{Flow, Purpose, flows};
use crate::lint::view::policy::{Cut, Decision, Direction, End, Near, Policy, decide};
use crate::lint::{Found, Stack};

/// A connection that is cut.
#[derive(Debug, Clone)]
pub(super) struct Missed<'a> {
    pub(super) flow: Flow<'a>,
    /// Where it is cut first: at the one who opens it.
    pub(super) cut: Cut<'a>,
    /// Where it is cut as well.
    other: Option<Cut<'a>>,
}

/// The connections of a purpose that are certainly cut.
pub(super) fn missed<'a>(stack: &Stack<'a>, purpose: impl Fn(Purpose) -> bool) -> Vec<Missed<'a>> {
    if stack.inventory.of_kind("NetworkPolicy").next().is_none() {
        return Vec::new();
    }
    let wanted = flows(stack).into_iter().filter(|flow| purpose(flow.purpose));
    wanted
        .filter_map(|flow| {
            let at = |direction| match decide(stack, &flow.connection, direction) {
                Decision::Cut(cut) => Some(cut),
                Decision::Allowed | Decision::Unknown => None,
            };
            let (egress, ingress) = (at(Direction::Egress), at(Direction::Ingress));
            match (egress, ingress) {
                (Some(cut), other) => Some(Missed { flow, cut, other }),
                (None, Some(cut)) => Some(Missed { flow, cut, other: None }),
                (None, None) => None,
            }
        })
        .collect()
}

impl<'a> Missed<'a> {
    /// The end whose policy it is.
    pub(super) fn own(&self) -> End<'a> {
        match self.cut.direction {
            Direction::Ingress => self.flow.connection.to,
            Direction::Egress => self.flow.connection.from,
        }
    }

    /// The end on the other side.
    fn far(&self) -> End<'a> {
        match self.cut.direction {
            Direction::Ingress => self.flow.connection.from,
            Direction::Egress => self.flow.connection.to,
        }
    }

    /// The line to blame, and why it does not do.
    fn blame(&self) -> (&'a Place, String) {
        let Cut { direction, policy, near, .. } = &self.cut;
        let port = format!("{} {}", self.flow.connection.protocol, self.flow.connection.port);
        if let Some((number, node)) = self.service_port() {
            let why = format!("{number} is the Service's port, and that of the pods is {port}");
            return (&node.place, why);
        }
        match near {
            Some(Near::Ports(node)) => {
                let why = format!("the rule for {} has {}", self.far(), ports(node));
                (&node.place, why)
            }
            Some(Near::Peers(node)) => {
                (&node.place, "the peers of its rule mean others".to_owned())
            }
            None => {
                let why = format!("no rule of {} allows it", direction.key());
                (policy.place(*direction), why)
            }
        }
    }

    /// The `ports` that have the Service's number in the place of the pods'.
    fn service_port(&self) -> Option<(i64, &'a Node)> {
        let number = self.flow.service_port?;
        let rules = self.cut.policy.rules(self.cut.direction);
        let has = |ports: &&Node| ports.items().iter().any(|it| it.i64("port") == Some(number));
        rules.filter_map(|rule| rule.node.get("ports")).find(has).map(|ports| (number, ports))
    }
}

/// Ports in the words of a message: `TCP 5433, UDP 53`.
fn ports(node: &Node) -> String {
    let each = node.items().iter().map(|port| {
        let protocol = port.str("protocol").unwrap_or("TCP");
        let first = port.get("port").and_then(Node::scalar).unwrap_or("of every number");
        let last = port.i64("endPort").map_or(String::new(), |last| format!(" to {last}"));
        format!("{protocol} {first}{last}")
    });
    each.collect::<Vec<_>>().join(", ")
}

/// Says which connections of a purpose are cut: those that lack in one place together.
pub(super) fn tell(stack: &Stack<'_>, purpose: Purpose, found: &mut Found) {
    let mut groups: Vec<(&Place, String, Vec<Missed<'_>>)> = Vec::new();
    for missed in missed(stack, |one| one == purpose) {
        let (place, why) = missed.blame();
        let known = groups.iter_mut().find(|(at, reason, group)| {
            *at == place
                && *reason == why
                && group[0].own().is(&missed.own())
                && group[0].cut.direction == missed.cut.direction
        });
        match known {
            Some((.., group)) => group.push(missed),
            None => groups.push((place, why, vec![missed])),
        }
    }
    for (place, why, group) in groups {
        let first = &group[0];
        let policy = first.cut.policy.object;
        let message = match first.cut.direction {
            Direction::Egress => {
                let what = listed(&group, |it| it.flow.what.to_owned());
                format!("{policy} keeps {} from {what}: {why}", first.own())
            }
            Direction::Ingress => {
                let who = listed(&group, |it| it.flow.connection.from.to_string());
                format!("{policy} keeps {who} from {}: {why}", first.own())
            }
        };
        let problem = found.place(policy, place.clone(), message);
        problem.remedy(remedy(&group));
        for other in group.iter().filter_map(|it| it.other.as_ref()) {
            let shows = format!("{} cuts it at the other end too", other.policy.object);
            problem.also_place(other.policy.place(other.direction), shows);
        }
    }
}

/// `its database (TCP 5432), other servers (TCP 443, 8448)`.
fn listed(group: &[Missed<'_>], name: impl Fn(&Missed<'_>) -> String) -> String {
    let mut parts: Vec<(String, Vec<String>)> = Vec::new();
    for missed in group {
        let (name, port) = (name(missed), missed.flow.connection.port.to_string());
        match parts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, ports)) => ports.push(port),
            None => parts.push((name, vec![port])),
        }
    }
    let protocol = group[0].flow.connection.protocol;
    let each =
        parts.iter().map(|(name, ports)| format!("{name} ({protocol} {})", ports.join(", ")));
    each.collect::<Vec<_>>().join(" and ")
}

/// What to add, with the reader's own labels.
fn remedy(group: &[Missed<'_>]) -> String {
    let first = &group[0].cut;
    let mut rules: Vec<String> = Vec::new();
    for missed in group {
        let flow = &missed.flow.connection;
        let peer = peer(&missed.far(), &first.policy);
        let rule = format!("{} {} {peer}", flow.protocol, flow.port);
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    let way = match first.direction {
        Direction::Ingress => "from",
        Direction::Egress => "to",
    };
    let rules: Vec<_> = rules.iter().map(|rule| rule.replacen("@", way, 1)).collect();
    let object = first.policy.object;
    format!("allow in spec.{} of {object}: {}", first.direction.key(), rules.join("; "))
}

/// A peer that means an end, after an `@` for its direction.
fn peer(end: &End<'_>, policy: &Policy<'_>) -> String {
    let namespace = end.namespace().filter(|own| policy.object.namespace() != Some(*own));
    let there = |name: &str| format!("@ namespaceSelector kubernetes.io/metadata.name: {name}");
    let pods = |selector: String| match namespace {
        Some(name) => format!("{} and podSelector {selector} in one item", there(name)),
        None => format!("@ podSelector {selector}"),
    };
    match end {
        End::Pods(_) if end.is_node() => {
            "@ ipBlock with the addresses of its nodes (it is on the host's network)".to_owned()
        }
        End::Pods(workload) => {
            let usual = ["app.kubernetes.io/name", "app"];
            let usual = usual.iter().find_map(|key| Some((*key, workload.label(key)?)));
            let first = || {
                let entry = workload.labels.first()?;
                Some((entry.key.as_str(), entry.node.scalar()?))
            };
            let label = usual.or_else(first);
            pods(label.map_or("{}".to_owned(), |(key, value)| format!("{key}: {value}")))
        }
        End::Instances(cluster) => pods(format!("cnpg.io/cluster: {}", cluster.name())),
        End::Foreign(foreign) => match foreign.namespace {
            Some(name) => there(name),
            None => format!("@ the namespace of {}, by namespaceSelector", foreign.name),
        },
        End::Dns => there("kube-system"),
        End::Api => "@ ipBlock with the API server's address".to_owned(),
        End::Internet => "@ ipBlock 0.0.0.0/0, except the private ranges".to_owned(),
    }
}
