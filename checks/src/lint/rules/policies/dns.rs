//! Names.

use mxdoctor_probes::manifest::{Node, Place};

use super::cuts::{Missed, missed};
use super::flows::Purpose;
use crate::lint::view::policy::{Direction, Policy};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Whoever finds somebody by name asks the cluster's name servers first. A policy of egress
    /// without them cuts that off, and every other host looks as if it were down.
    ///
    /// Silent where some rule may mean the name servers, such as an `ipBlock` on port 53.
    ///
    /// Source: Kubernetes, "Network Policies", "Default deny all egress traffic".
    NO_NAMES = "NP-01" Error: "pods with policies of egress reach the name servers"
    breaks "every lookup times out, and the database looks as if it were down"
    remedy "allow egress on UDP 53 and TCP 53 to the namespace kube-system"
    cause "network-policy-blocks"
    check "kubernetes.network_policies"
    look no_names
}

rule! {
    /// An answer that fits no datagram is asked for again by TCP. Most answers fit, so that this
    /// shows with few names and seldom.
    ///
    /// Source: RFC 7766, "DNS Transport over TCP".
    NO_LONG_NAMES = "NP-10" Warning: "pods reach the name servers by TCP too"
    breaks "lookups with a long answer time out: some servers cannot be federated with"
    remedy "allow TCP 53 beside UDP 53"
    cause "network-policy-blocks"
    check "kubernetes.network_policies"
    look no_long_names
}

fn no_names(stack: &Stack<'_>, found: &mut Found) {
    tell(missed(stack, |purpose| purpose == Purpose::Names), found);
}

fn no_long_names(stack: &Stack<'_>, found: &mut Found) {
    // Whoever has no answers at all misses no long ones.
    let none = missed(stack, |purpose| purpose == Purpose::Names);
    let mut long = missed(stack, |purpose| purpose == Purpose::LongNames);
    long.retain(|one| !none.iter().any(|other| other.own().is(&one.own())));
    tell(long, found);
}

/// One problem for each policy to blame, with everybody who asks in vain.
fn tell(missed: Vec<Missed<'_>>, found: &mut Found) {
    let mut groups: Vec<(Policy<'_>, &Place, Vec<Missed<'_>>)> = Vec::new();
    for one in missed {
        let (policy, place) = blame(&one);
        match groups.iter_mut().find(|(_, at, _)| *at == place) {
            Some((.., group)) => group.push(one),
            None => groups.push((policy, place, vec![one])),
        }
    }
    for (policy, place, group) in groups {
        let who: Vec<_> = group.iter().map(|one| one.own().to_string()).collect();
        let protocol = group[0].flow.connection.protocol;
        let message = format!(
            "{} keeps {} from the name servers: nothing allows {protocol} 53",
            policy.object,
            who.join(", ")
        );
        found.place(policy.object, place.clone(), message);
    }
}

/// The policy that speaks of port 53 already, or else the widest one.
fn blame<'a>(missed: &Missed<'a>) -> (Policy<'a>, &'a Place) {
    let of_names = |policy: &Policy<'a>| {
        let rules = policy.rules(Direction::Egress).filter_map(|rule| rule.node.get("ports"));
        let is_53 = |port: &Node| port.get("port").and_then(Node::scalar) == Some("53");
        let mut ports = rules.filter(|ports| ports.items().iter().any(is_53));
        ports.next().map(|ports| (*policy, &ports.place))
    };
    let selecting = &missed.cut.selecting;
    selecting.iter().find_map(of_names).unwrap_or_else(|| {
        let widest = selecting.iter().min_by_key(|policy| policy.narrowness());
        let policy = *widest.unwrap_or(&missed.cut.policy);
        (policy, policy.place(Direction::Egress))
    })
}
