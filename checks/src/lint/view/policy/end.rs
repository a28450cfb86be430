//! Who is at an end of a connection, and whether a peer of a policy means it.

use std::fmt;

use mxdoctor_probes::manifest::{Node, Object};

use super::super::Workload;
use super::block::Block;
use super::selector::{Labels, NAME, fits, is_empty};
use super::{Policy, Truth};
use crate::lint::Stack;

/// Who is at an end of a connection.
#[derive(Debug, Clone, Copy)]
pub enum End<'a> {
    /// The pods of a workload.
    Pods(Workload<'a>),
    /// The instances of a Cluster of CloudNativePG, whose pods the operator makes.
    Instances(&'a Object),
    /// Pods that the inventory does not show.
    Foreign(Foreign<'a>),
    /// The cluster's name servers.
    Dns,
    /// The API server, whose address is in no manifest.
    Api,
    /// Servers on the internet.
    Internet,
}

/// Pods that the inventory does not show.
#[derive(Debug, Clone, Copy)]
pub struct Foreign<'a> {
    /// What they are, for a message: `Traefik`.
    pub name: &'static str,
    /// Their namespace, where something names it.
    pub namespace: Option<&'a str>,
    /// Whether they are in another namespace than the stack, whichever that is.
    pub elsewhere: bool,
}

/// Namespaces of name servers: the usual one, and those of distributions that have another.
const DNS_NAMESPACES: &[&str] = &["kube-system", "openshift-dns"];

impl<'a> End<'a> {
    /// The namespace that it is in, where that is known.
    pub fn namespace(&self) -> Option<&'a str> {
        match self {
            Self::Pods(workload) => workload.object.namespace(),
            Self::Instances(cluster) => cluster.namespace(),
            Self::Foreign(foreign) => foreign.namespace,
            _ => None,
        }
    }

    /// The ends in a policy's namespace that the inventory shows.
    pub fn beside(stack: &Stack<'a>, policy: &Policy<'_>) -> Vec<Self> {
        let pods = stack.workloads.iter().map(|workload| Self::Pods(*workload));
        let clusters = stack.inventory.of_kind("Cluster");
        let clusters = clusters.filter(|object| object.group() == "postgresql.cnpg.io");
        let all = pods.chain(clusters.map(Self::Instances));
        all.filter(|end| end.is_beside(policy) == Truth::Yes).collect()
    }

    /// What is known of its labels.
    pub fn labels(&self) -> Labels<'a> {
        match self {
            Self::Pods(workload) => Labels::of(workload),
            Self::Instances(cluster) => Labels::Instances(cluster),
            _ => Labels::Hidden,
        }
    }

    /// Whether its pods share their node's network, where most networks see nothing of them but
    /// the node's address.
    pub fn is_node(&self) -> bool {
        matches!(self, Self::Pods(workload) if workload.host_network())
    }

    /// Whether policies can hold for it: it has pods in the inventory, with addresses of their own.
    pub fn has_policies(&self) -> bool {
        matches!(self, Self::Pods(_) | Self::Instances(_)) && !self.is_node()
    }

    /// Whether two ends are of the same workload.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Pods(one), Self::Pods(other)) => std::ptr::eq(one.object, other.object),
            (Self::Instances(one), Self::Instances(other)) => std::ptr::eq(*one, *other),
            _ => false,
        }
    }

    /// The number of a port that a policy gives by name; none where no container has it.
    pub fn port(&self, name: &str, protocol: &str) -> Named {
        match self {
            Self::Pods(workload) => {
                let mut ports = workload.main().flat_map(|container| container.ports());
                let found = ports.find(|port| {
                    port.str("name") == Some(name)
                        && port.str("protocol").unwrap_or("TCP") == protocol
                });
                found.and_then(|port| port.i64("containerPort")).map_or(Named::None, Named::Is)
            }
            Self::Instances(_) if protocol != "TCP" => Named::None,
            Self::Instances(_) => match name {
                "postgresql" => Named::Is(5432),
                "metrics" => Named::Is(9187),
                "status" => Named::Is(8000),
                _ => Named::None,
            },
            _ => Named::Unknown,
        }
    }

    /// Whether a peer of a policy (an item of `from` or `to`) means it.
    pub fn is_peer(&self, stack: &Stack<'a>, policy: &Policy<'a>, peer: &'a Node) -> Truth {
        if let Some(block) = peer.get("ipBlock") {
            return Block::new(block).map_or(Truth::Unknown, |block| self.is_in(&block));
        }
        let (namespaces, pods) = (peer.get("namespaceSelector"), peer.get("podSelector"));
        if namespaces.is_none() && pods.is_none() {
            return Truth::Unknown;
        }
        // What is meant for one workload is meant for no stranger.
        let strange = matches!(self, Self::Foreign(foreign) if foreign.namespace.is_none());
        if let (true, None, Some(selector)) = (strange, namespaces, pods) {
            let shown = Self::beside(stack, policy).into_iter();
            if shown.filter(|end| fits(selector, end.labels()) == Truth::Yes).count() == 1 {
                return Truth::No;
            }
        }
        let there = match namespaces {
            Some(selector) => self.is_in_one_of(stack, policy, selector),
            None => self.is_beside(policy),
        };
        let of_pods = match (self, pods) {
            (_, None) => Truth::Yes,
            (_, Some(selector)) if is_empty(selector) => Truth::Yes,
            (Self::Dns, Some(selector)) => {
                let usual = selector.map("matchLabels").iter();
                let mut usual = usual.filter(|it| it.key == "k8s-app");
                let is = usual.any(|it| it.node.as_str() == Some("kube-dns"));
                if is { Truth::Yes } else { Truth::Unknown }
            }
            (_, Some(selector)) => fits(selector, self.labels()),
        };
        let means = there.and(of_pods);
        // Some networks tell pods on a node's address apart, most do not.
        if self.is_node() { means.and(Truth::Unknown) } else { means }
    }

    /// Whether it is in the policy's own namespace. An object that says no namespace is in every
    /// one.
    pub fn is_beside(&self, policy: &Policy<'_>) -> Truth {
        match self {
            Self::Dns | Self::Api | Self::Internet => Truth::No,
            Self::Foreign(foreign) if foreign.namespace.is_none() => {
                if foreign.elsewhere {
                    Truth::No
                } else {
                    Truth::Unknown
                }
            }
            _ => match (self.namespace(), policy.object.namespace()) {
                (Some(one), Some(other)) => (one == other).into(),
                _ => Truth::Yes,
            },
        }
    }

    fn is_in_one_of(&self, stack: &Stack<'a>, policy: &Policy<'a>, selector: &Node) -> Truth {
        let all = is_empty(selector);
        let holds = |namespace| fits(selector, Labels::of_namespace(stack, namespace));
        match self {
            Self::Internet => Truth::No,
            Self::Api => Truth::Unknown,
            Self::Dns if names_dns(selector) => Truth::Unknown,
            Self::Dns if all => Truth::Yes,
            Self::Dns => Truth::any(DNS_NAMESPACES.iter().map(|namespace| holds(namespace))),
            _ if all => Truth::Yes,
            _ => match self.namespace().or_else(|| policy.object.namespace()) {
                Some(namespace) if !matches!(self, Self::Foreign(it) if it.namespace.is_none()) => {
                    holds(namespace)
                }
                _ => Truth::Unknown,
            },
        }
    }

    /// Whether a block of addresses has it. Where pods' addresses are is up to the network; that
    /// they are private is not in doubt.
    fn is_in(&self, block: &Block) -> Truth {
        match self {
            Self::Internet if block.is_internet() => Truth::Yes,
            Self::Internet if !block.has_public() => Truth::No,
            Self::Api if block.is_everything() => Truth::Yes,
            Self::Pods(_) if self.is_node() && block.is_everything() => Truth::Yes,
            Self::Pods(_) | Self::Instances(_)
                if !self.is_node() && block.has_public() && !block.has_pods() =>
            {
                Truth::No
            }
            _ => Truth::Unknown,
        }
    }
}

/// Whether a selector names a namespace that is called after name servers.
fn names_dns(selector: &Node) -> bool {
    let equal = selector.map("matchLabels").iter().filter(|entry| entry.key == NAME);
    let mut names = equal.filter_map(|entry| entry.node.as_str());
    let one_of = selector.list("matchExpressions").iter().flat_map(|one| one.list("values"));
    names.any(|name| name.contains("dns"))
        || one_of.filter_map(Node::as_str).any(|name| name.contains("dns"))
}

/// What a port's name comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// This number.
    Is(i64),
    /// No container has a port of the name.
    None,
    /// The containers are not known.
    Unknown,
}

impl fmt::Display for End<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pods(workload) => workload.object.fmt(f),
            Self::Instances(cluster) => cluster.fmt(f),
            Self::Foreign(foreign) => f.write_str(foreign.name),
            Self::Dns => f.write_str("the name servers"),
            Self::Api => f.write_str("the API server"),
            Self::Internet => f.write_str("the internet"),
        }
    }
}
