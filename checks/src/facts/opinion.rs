//! What somebody other than our resolver says of a name's addresses.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::future::join_all;
use mxdoctor_model::{EvidenceKind, Finding, Vantage};
use mxdoctor_probes::dns::{Answer, Data, Kind, Lookup};

use super::addresses::reserved;
use super::resolver::describe;
use super::{Addresses, Endpoint};
use crate::{Cx, Fact, Unavailable};

/// Name servers of one zone that are asked, at most.
const SERVERS: usize = 3;
/// How long they have for their answer, all of them together: others wait for it.
const PATIENCE: Duration = Duration::from_secs(7);
/// Aliases that are followed from zone to zone, at most.
const ALIASES: usize = 6;

/// The addresses of a name by the configured second resolver, else by the zone's own servers.
///
/// Not to be had is a skip of `dns.resolvers_agree`, and never more than that: a network that lets
/// nobody but its own resolver ask is common.
#[derive(Debug, Clone)]
pub struct SecondOpinion {
    /// Name.
    pub host: String,
}

/// A second opinion on a name.
#[derive(Debug, Clone)]
pub struct Opinion {
    /// Whose it is, in words.
    pub by: String,
    /// IPv4.
    pub a: Lookup,
    /// IPv6.
    pub aaaa: Lookup,
}

impl Opinion {
    /// All addresses, IPv4 first.
    pub fn addresses(&self) -> Vec<IpAddr> {
        self.a.addresses().into_iter().chain(self.aaaa.addresses()).collect()
    }
}

impl Fact for SecondOpinion {
    type Value = Opinion;
    const OWNER: &'static str = "dns.resolvers_agree";

    async fn observe(&self, cx: &Cx) -> Result<Opinion, Unavailable> {
        if let Some(server) = cx.target().second_resolver {
            let lookups = ask(cx, &[server], &self.host).await;
            return judged(&self.host, format!("the second resolver {server}"), lookups);
        }
        let mut name = self.host.to_lowercase();
        for _ in 0..ALIASES {
            let Some((zone, servers)) = servers_of(cx, &name).await else {
                return Err(skip(&self.host, format!("the name servers of {name} were not found")));
            };
            let lookups = ask(cx, &servers, &name).await;
            match lookups.as_ref().and_then(leads_on) {
                Some(alias) => name = alias,
                None => {
                    return judged(&self.host, format!("the servers of the zone {zone}"), lookups);
                }
            }
        }
        Err(skip(&self.host, format!("{} has more than {ALIASES} aliases", self.host)))
    }
}

async fn ask(cx: &Cx, servers: &[SocketAddr], name: &str) -> Option<(Lookup, Lookup)> {
    let both = async {
        tokio::join!(
            cx.net().lookup_at(servers, name, Kind::A),
            cx.net().lookup_at(servers, name, Kind::Aaaa)
        )
    };
    tokio::time::timeout(PATIENCE, both).await.ok()
}

fn skip(host: &str, reason: String) -> Unavailable {
    Unavailable::by("dns.resolvers_agree", Finding::skip(reason).on(host))
}

fn judged(
    host: &str,
    by: String,
    lookups: Option<(Lookup, Lookup)>,
) -> Result<Opinion, Unavailable> {
    let Some((a, aaaa)) = lookups else {
        return Err(skip(host, format!("{by} do not answer us within {PATIENCE:?}")));
    };
    for lookup in [&a, &aaaa] {
        if let Answer::Unanswered(reason) | Answer::Refused(reason) = &lookup.answer {
            return Err(skip(host, format!("{by} cannot be asked from here: {reason}")));
        }
    }
    Ok(Opinion { by, a, aaaa })
}

/// The name that an answer without addresses leads on to, in a zone of its own.
fn leads_on((a, aaaa): &(Lookup, Lookup)) -> Option<String> {
    if !a.addresses().is_empty() || !aaaa.addresses().is_empty() {
        return None;
    }
    last_alias(a).or_else(|| last_alias(aaaa))
}

fn last_alias(lookup: &Lookup) -> Option<String> {
    let Answer::Records(records) = &lookup.answer else { return None };
    records.iter().rev().find_map(|record| match &record.data {
        Data::Cname(target) => Some(target.clone()),
        _ => None,
    })
}

/// The closest enclosing zone of a name below the top level, and its servers' addresses.
async fn servers_of(cx: &Cx, name: &str) -> Option<(String, Vec<SocketAddr>)> {
    for zone in enclosing(name) {
        let lookup = cx.net().lookup(zone, Kind::Ns).await;
        if let Answer::Unanswered(_) = lookup.answer {
            return None;
        }
        let names: Vec<String> = lookup
            .records()
            .filter(|record| record.name.eq_ignore_ascii_case(zone))
            .filter_map(|record| match &record.data {
                Data::Ns(server) => Some(server.clone()),
                _ => None,
            })
            .take(SERVERS)
            .collect();
        if names.is_empty() {
            continue;
        }
        let addresses = join_all(names.iter().map(|server| server_address(cx, server))).await;
        let servers: Vec<_> = addresses.into_iter().flatten().collect();
        return (!servers.is_empty()).then(|| (zone.to_owned(), servers));
    }
    None
}

async fn server_address(cx: &Cx, server: &str) -> Option<SocketAddr> {
    for kind in [Kind::A, Kind::Aaaa] {
        if let Some(address) = cx.net().lookup(server, kind).await.addresses().first() {
            return Some(SocketAddr::new(*address, 53));
        }
    }
    None
}

/// The name and the names above it, without the top level.
fn enclosing(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, above)| above))
        .filter(|name| name.contains('.'))
}

/// The public addresses that somebody else gives for a name, for which our resolver has only
/// private ones: then our resolver has a view of its own. None when that cannot be told.
pub(super) async fn public_elsewhere(cx: &Cx, host: &str) -> Option<Vec<IpAddr>> {
    let opinion = cx.fact(SecondOpinion { host: host.to_owned() }).await.ok()?;
    let addresses = opinion.addresses();
    let public = !addresses.is_empty() && addresses.iter().all(|a| reserved(*a).is_none());
    public.then_some(addresses)
}

/// The finding for a name that our resolver does not know, and somebody else does: a negative
/// answer is kept for a while as well.
pub(super) async fn unknown_just_here(cx: &Cx, host: &str, ours: &Lookup) -> Option<Finding> {
    if cx.vantage() != Vantage::Public {
        return None;
    }
    let opinion = cx.fact(SecondOpinion { host: host.to_owned() }).await.ok()?;
    let addresses = opinion.addresses();
    if addresses.is_empty() {
        return None;
    }
    let summary = format!("our resolver has no address of {host}, and {} have one", opinion.by);
    let finding = Finding::fail("dns-stale", summary).on(host).expected(list(&addresses));
    Some(
        finding
            .actual("no address")
            .evidence(EvidenceKind::Dns, describe(ours))
            .evidence(EvidenceKind::Dns, format!("{}: {}", opinion.by, describe(&opinion.a))),
    )
}

/// Whether addresses that do not serve a host rightly are just an old answer of our resolver: the
/// other side does not give any of them, and an address that it does give serves the host rightly.
/// Then everything that ails the host from here is `dns.resolvers_agree`'s to say.
pub async fn stale(cx: &Cx, endpoint: &Endpoint, bad: &[SocketAddr]) -> Option<Finding> {
    if cx.vantage() != Vantage::Public || !endpoint.by_dns(cx).await.ok()? {
        return None;
    }
    let host = &endpoint.host;
    let opinion = cx.fact(SecondOpinion { host: host.clone() }).await.ok()?;
    let right = opinion.addresses();
    if bad.is_empty() || right.is_empty() || bad.iter().any(|bad| right.contains(&bad.ip())) {
        return None;
    }
    let looks = right
        .iter()
        .map(|address| cx.net().handshake(host, SocketAddr::new(*address, endpoint.port)));
    let proof = join_all(looks)
        .await
        .into_iter()
        .flatten()
        .find(|session| session.verification.accepted())?;
    let bad: Vec<IpAddr> = bad.iter().map(SocketAddr::ip).collect();
    let mut finding = outdated(host, &bad, &opinion).evidence(
        EvidenceKind::Connection,
        format!("{} shows an acceptable certificate for {host}", proof.address.ip()),
    );
    if let Ok(resolved) = cx.fact(Addresses { host: host.clone() }).await {
        finding = finding
            .evidence(EvidenceKind::Dns, describe(&resolved.a))
            .evidence(EvidenceKind::Dns, describe(&resolved.aaaa));
    }
    Some(finding)
}

fn outdated(host: &str, bad: &[IpAddr], opinion: &Opinion) -> Finding {
    Finding::fail(
        "dns-stale",
        format!("our resolver sends {host} to {}, which is out of date", list(bad)),
    )
    .on(host)
    .expected(format!("{}, the answer of {}", list(&opinion.addresses()), opinion.by))
    .actual(list(bad))
    .evidence(EvidenceKind::Dns, format!("{}: {}", opinion.by, describe(&opinion.a)))
    .evidence(EvidenceKind::Dns, format!("{}: {}", opinion.by, describe(&opinion.aaaa)))
}

fn list(addresses: &[IpAddr]) -> String {
    addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_looked_for_upwards() {
        let zones: Vec<_> = enclosing("matrix.testing.borooka.ee").collect();
        assert_eq!(zones, ["matrix.testing.borooka.ee", "testing.borooka.ee", "borooka.ee"]);
        assert_eq!(enclosing("localhost").count(), 0);
    }
}
