//! NetworkPolicies: whom they select, and what they let through.
//!
//! A pod that no policy selects for a direction is open in that direction. One that some policy
//! selects gets what the rules of all policies that select it allow together, and nothing else.
//! Both ends have to allow a connection; the answers to it need no rule.
//!
//! Source: Kubernetes, "Network Policies", and the defaults of `networking.k8s.io/v1`.

mod block;
mod end;
mod selector;
mod truth;

#[cfg(test)]
mod tests;

pub use block::Block;
pub use end::{End, Foreign, Named};
pub use selector::{Labels, fits, is_empty, told};
pub use truth::Truth;

use mxdoctor_probes::manifest::{Entry, Node, Object, Place};

use crate::lint::Stack;

/// A NetworkPolicy.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// The object.
    pub object: &'a Object,
}

/// A direction, as seen from the pods that a policy selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To them.
    Ingress,
    /// From them.
    Egress,
}

/// A rule of a policy: an item of `ingress` or `egress`.
#[derive(Debug, Clone, Copy)]
pub struct Rule<'a> {
    /// The item.
    pub node: &'a Node,
    direction: Direction,
}

/// A connection: to a port of the pods themselves, not of their Service.
#[derive(Debug, Clone, Copy)]
pub struct Connection<'a> {
    /// Who opens it.
    pub from: End<'a>,
    /// Who is to take it.
    pub to: End<'a>,
    /// The port.
    pub port: i64,
    /// `TCP` or `UDP`.
    pub protocol: &'static str,
}

/// Whether the policies of one end let a connection through.
#[derive(Debug, Clone)]
pub enum Decision<'a> {
    /// They do, or there are none.
    Allowed,
    /// What would tell is not in the inventory.
    Unknown,
    /// They do not.
    Cut(Cut<'a>),
}

/// How a connection is cut.
#[derive(Debug, Clone)]
pub struct Cut<'a> {
    /// In which direction.
    pub direction: Direction,
    /// The policy to blame: the one with the rule that fails narrowly, or else the narrowest of
    /// those that select the pods.
    pub policy: Policy<'a>,
    /// What fails narrowly.
    pub near: Option<Near<'a>>,
    /// Every policy that selects the pods and holds in that direction.
    pub selecting: Vec<Policy<'a>>,
}

/// A rule that would have allowed it, but for one part.
#[derive(Debug, Clone, Copy)]
pub enum Near<'a> {
    /// Its peers are right, and the `ports` wrong.
    Ports(&'a Node),
    /// Its ports are right, and the `from` or `to` wrong.
    Peers(&'a Node),
}

impl Direction {
    /// The key of its rules.
    pub fn key(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }

    /// The key of its peers in a rule.
    fn peers(self) -> &'static str {
        match self {
            Self::Ingress => "from",
            Self::Egress => "to",
        }
    }

    /// Its word in `policyTypes`.
    fn word(self) -> &'static str {
        match self {
            Self::Ingress => "Ingress",
            Self::Egress => "Egress",
        }
    }
}

impl<'a> Policy<'a> {
    /// Whether it holds in a direction. Without `policyTypes` it holds for ingress, and for egress
    /// where it has rules of egress.
    pub fn holds(&self, direction: Direction) -> bool {
        let types = self.object.node.list("spec.policyTypes");
        if !types.is_empty() {
            return types.iter().any(|one| one.as_str() == Some(direction.word()));
        }
        direction == Direction::Ingress || !self.object.node.list("spec.egress").is_empty()
    }

    /// Its selector of pods in its own namespace.
    pub fn selector(&self) -> Option<&'a Entry> {
        self.object.at("spec")?.entry("podSelector")
    }

    /// Whether it selects the pods of an end.
    pub fn selects(&self, end: &End<'a>) -> Truth {
        if !end.has_policies() {
            return Truth::No;
        }
        let fits = self.selector().map_or(Truth::Yes, |entry| fits(&entry.node, end.labels()));
        end.is_beside(self).and(fits)
    }

    /// Its rules in a direction, where it holds in that.
    pub fn rules(&self, direction: Direction) -> impl Iterator<Item = Rule<'a>> + use<'a> {
        let path = match direction {
            Direction::Ingress => "spec.ingress",
            Direction::Egress => "spec.egress",
        };
        let rules = if self.holds(direction) { self.object.node.list(path) } else { &[] };
        rules.iter().map(move |node| Rule { node, direction })
    }

    /// Where to point when a rule of a direction is missing: the key of its rules, or what makes
    /// it hold there.
    pub fn place(&self, direction: Direction) -> &'a Place {
        let rules = self.object.at("spec").and_then(|spec| spec.entry(direction.key()));
        let types = || self.object.at("spec.policyTypes").map(|node| &node.place);
        rules.map(|entry| &entry.place).or_else(types).unwrap_or_else(|| self.object.place())
    }

    /// How narrow its selector is: 0 for one that selects every pod.
    pub fn narrowness(&self) -> usize {
        self.selector().map_or(0, |entry| {
            entry.node.map("matchLabels").len() + entry.node.list("matchExpressions").len()
        })
    }
}

impl<'a> Rule<'a> {
    /// Its peers: the items of `from` or `to`. None of them means everybody.
    pub fn peers(&self) -> &'a [Node] {
        self.node.list(self.direction.peers())
    }

    /// Whether its peers mean an end.
    pub fn means(&self, stack: &Stack<'a>, policy: &Policy<'a>, end: &End<'a>) -> Truth {
        let peers = self.peers();
        if peers.is_empty() {
            return Truth::Yes;
        }
        Truth::any(peers.iter().map(|peer| end.is_peer(stack, policy, peer)))
    }

    /// Whether it names ports, and peers of the sort that an end is: pods beside the policy, pods
    /// elsewhere, or addresses.
    fn is_for(&self, policy: &Policy<'_>, end: &End<'_>) -> bool {
        let beside = end.is_beside(policy) == Truth::Yes;
        let address = end.is_node() || matches!(end, End::Internet | End::Api);
        let mut peers = self.peers().iter();
        let sort = peers.any(|peer| match peer.get("namespaceSelector") {
            Some(_) => !address && !beside,
            None if peer.get("ipBlock").is_some() => address,
            None => !address && beside,
        });
        sort && !self.node.list("ports").is_empty()
    }

    /// Whether its ports have the one of a connection. None of them means every port.
    pub fn has_port(&self, to: &End<'a>, number: i64, protocol: &str) -> Truth {
        let ports = self.node.list("ports");
        if ports.is_empty() {
            return Truth::Yes;
        }
        Truth::any(ports.iter().map(|port| is_port(port, to, number, protocol)))
    }
}

fn is_port(node: &Node, to: &End<'_>, number: i64, protocol: &str) -> Truth {
    if node.str("protocol").unwrap_or("TCP") != protocol {
        return Truth::No;
    }
    let Some(port) = node.get("port") else { return Truth::Yes };
    if let Some(first) = port.as_i64() {
        let last = node.i64("endPort").unwrap_or(first);
        return other_port(to, first, last).or((first <= number && number <= last).into());
    }
    match port.as_str().map(|name| to.port(name, protocol)) {
        Some(Named::Is(found)) => (found == number).into(),
        Some(Named::None) => Truth::No,
        Some(Named::Unknown) | None => Truth::Unknown,
    }
}

/// What never is an API server's port.
const NOT_OF_API: &[i64] = &[53, 80, 5432, 8000, 8448, 9187];

/// Whether ports may be those that an end really has, besides the usual ones.
fn other_port(to: &End<'_>, first: i64, last: i64) -> Truth {
    match to {
        End::Api if first == last && NOT_OF_API.contains(&first) => Truth::No,
        // The Service has 443; the server itself has whatever it was given.
        End::Api => Truth::Unknown,
        // OpenShift's have it.
        End::Dns if first <= 5353 && 5353 <= last => Truth::Unknown,
        _ => Truth::No,
    }
}

/// The policies of an inventory.
pub fn policies<'a>(stack: &Stack<'a>) -> Vec<Policy<'a>> {
    let all = stack.inventory.of_kind("NetworkPolicy");
    all.filter(|object| matches!(object.group(), "networking.k8s.io" | "extensions"))
        .map(|object| Policy { object })
        .collect()
}

/// Whether the policies of the end that a direction is of let a connection through.
pub fn decide<'a>(
    stack: &Stack<'a>,
    connection: &Connection<'a>,
    direction: Direction,
) -> Decision<'a> {
    let (own, other) = match direction {
        Direction::Ingress => (&connection.to, &connection.from),
        Direction::Egress => (&connection.from, &connection.to),
    };
    let mut selecting = Vec::new();
    let (mut isolated, mut allowed) = (Truth::No, Truth::No);
    let mut near = None;
    for policy in policies(stack).into_iter().filter(|policy| policy.holds(direction)) {
        let selects = policy.selects(own);
        isolated = isolated.or(selects);
        if selects == Truth::Yes {
            selecting.push(policy);
        }
        for rule in policy.rules(direction).filter(|_| selects != Truth::No) {
            let means = rule.means(stack, &policy, other);
            let has_port = rule.has_port(&connection.to, connection.port, connection.protocol);
            allowed = allowed.or(selects.and(means).and(has_port));
            let found = match (means, has_port) {
                (Truth::Yes, Truth::No) if !rule.peers().is_empty() => {
                    rule.node.get("ports").map(Near::Ports)
                }
                (Truth::No, Truth::Yes) if rule.is_for(&policy, other) => {
                    rule.node.get(direction.peers()).map(Near::Peers)
                }
                _ => None,
            };
            // The one with the right peers is the likelier.
            let better = matches!(
                (&near, found),
                (None, Some(_)) | (Some((_, Near::Peers(_))), Some(Near::Ports(_)))
            );
            if let (Some(found), true, Truth::Yes) = (found, better, selects) {
                near = Some((policy, found));
            }
        }
    }
    match (isolated, allowed) {
        (Truth::No, _) | (_, Truth::Yes) => return Decision::Allowed,
        (Truth::Unknown, _) | (_, Truth::Unknown) => return Decision::Unknown,
        (Truth::Yes, Truth::No) => {}
    }
    let narrowest = selecting.iter().max_by_key(|policy| policy.narrowness());
    let policy = near.map(|(policy, _)| policy).or(narrowest.copied());
    policy.map_or(Decision::Unknown, |policy| {
        let near = near.map(|(_, near)| near);
        Decision::Cut(Cut { direction, policy, near, selecting })
    })
}
