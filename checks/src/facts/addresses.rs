//! Where a host is, by DNS or by configuration.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use mxdoctor_model::{EvidenceKind, Finding, Vantage};
use mxdoctor_probes::dns::{Answer, Data, Dnssec, Kind, Lookup, Record};

use super::Resolver;
use super::resolver::describe;
use crate::{Cidr, Cx, Fact, Target, Unavailable};

/// The addresses of a host: both families at once. A literal address is its own answer; a name that
/// is overridden by configuration is not asked of DNS.
///
/// Owned by `dns.address`; by `dns.dnssec` where the signatures do not hold and by
/// `vantage.resolver` where our own resolver answers nothing at all.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// Name or address, without brackets.
    pub host: String,
}

/// Who says where a host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// DNS.
    Dns,
    /// `--resolve`, by name.
    Override,
    /// The host is an address, or `localhost`.
    Literal,
}

/// The addresses of a host; at least one.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Who says so. For all but [`Source::Dns`] the lookups were not made: they have no server.
    pub source: Source,
    /// IPv4.
    pub a: Lookup,
    /// IPv6.
    pub aaaa: Lookup,
    /// Where to connect, IPv4 first; from outside without those that cannot be reached from there.
    pub addresses: Vec<IpAddr>,
    /// Addresses of DNS that cannot be reached from outside: private or reserved.
    pub private: Vec<IpAddr>,
}

impl Fact for Addresses {
    type Value = Resolved;
    const OWNER: &'static str = "dns.address";

    async fn observe(&self, cx: &Cx) -> Result<Resolved, Unavailable> {
        let host = &self.host;
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(fixed(host, Source::Literal, vec![address]));
        }
        let overridden = overrides(cx, host);
        if overridden.is_empty() && (host == "localhost" || host.ends_with(".localhost")) {
            // Not asked of DNS: RFC 6761, section 6.3.
            let both = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
            return Ok(fixed(host, Source::Literal, both));
        }
        if !overridden.is_empty() {
            return Ok(fixed(host, Source::Override, overridden));
        }
        // The third has the instruments know the addresses by the time of the first request, which
        // would else wait for an answer of its own.
        let (a, aaaa, _) = tokio::join!(
            cx.net().lookup(host, Kind::A),
            cx.net().lookup(host, Kind::Aaaa),
            cx.net().addresses_for(host, 443),
        );
        let found: Vec<IpAddr> = a.addresses().into_iter().chain(aaaa.addresses()).collect();
        if found.is_empty() {
            return Err(absent(cx, host, &a, &aaaa).await);
        }
        let outside = cx.vantage() == Vantage::Public;
        let (private, addresses) = found
            .into_iter()
            .partition(|address| outside && unreachable_from_outside(cx.target(), *address));
        let resolved = Resolved { source: Source::Dns, a, aaaa, addresses, private };
        if resolved.addresses.is_empty() {
            let finding = match super::opinion::public_elsewhere(cx, host).await {
                Some(opinion) => split_horizon(host, &resolved, &opinion),
                None => private_address(host, &resolved),
            };
            return Err(Unavailable::by("dns.address", finding));
        }
        Ok(resolved)
    }
}

/// The host of a Matrix server name, lower case, without port and brackets.
pub(crate) fn host_of(server_name: &str) -> String {
    let host = match server_name.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => server_name.split_once(':').map_or(server_name, |(host, _)| host),
    };
    host.to_lowercase()
}

fn overrides(cx: &Cx, host: &str) -> Vec<IpAddr> {
    let host = host.to_lowercase();
    let names = &cx.net().config().overrides.names;
    let mut addresses: Vec<IpAddr> = names
        .iter()
        .filter(|((name, _), _)| *name == host)
        .flat_map(|(_, addresses)| addresses.iter().map(SocketAddr::ip))
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

fn fixed(host: &str, source: Source, addresses: Vec<IpAddr>) -> Resolved {
    let lookup = |kind, data: Vec<Data>| Lookup {
        name: host.to_owned(),
        kind,
        answer: if data.is_empty() {
            Answer::NoData
        } else {
            let record = |data| Record { name: host.to_owned(), ttl: 0, data };
            Answer::Records(data.into_iter().map(record).collect())
        },
        server: None,
        dnssec: Dnssec::Unsigned,
        elapsed: Duration::ZERO,
    };
    let v4 = addresses.iter().filter_map(|a| match a {
        IpAddr::V4(a) => Some(Data::A(*a)),
        IpAddr::V6(_) => None,
    });
    let v6 = addresses.iter().filter_map(|a| match a {
        IpAddr::V6(a) => Some(Data::Aaaa(*a)),
        IpAddr::V4(_) => None,
    });
    let (a, aaaa) = (lookup(Kind::A, v4.collect()), lookup(Kind::Aaaa, v6.collect()));
    Resolved { source, a, aaaa, addresses, private: Vec::new() }
}

/// Why a name has no address, and who is to say so.
async fn absent(cx: &Cx, host: &str, a: &Lookup, aaaa: &Lookup) -> Unavailable {
    if a.dnssec == Dnssec::Bogus || aaaa.dnssec == Dnssec::Bogus {
        let bogus = if a.dnssec == Dnssec::Bogus { a } else { aaaa };
        return Unavailable::by("dns.dnssec", crate::dns::bogus(host, bogus));
    }
    let nowhere = a.answer == Answer::NxDomain || aaaa.answer == Answer::NxDomain;
    let silent = |l: &Lookup| matches!(l.answer, Answer::Unanswered(_) | Answer::Refused(_));
    if !nowhere && (silent(a) || silent(aaaa)) {
        // Silence may be our own resolver's: only one that answers other questions proves anything.
        return match cx.fact(Resolver).await {
            Err(ours) => ours,
            Ok(_) => Unavailable::by("dns.address", unanswered(host, a, aaaa)),
        };
    }
    if let Some(alias) = alias_of(cx, host).await {
        return Unavailable::by("dns.address", dangling(host, &alias, a, aaaa));
    }
    if host == host_of(&cx.target().server_name) && has_srv(cx, host).await {
        return Unavailable::by("dns.address", only_srv(host, a, aaaa));
    }
    if is_configured(cx.target(), host)
        && let Some(finding) = super::opinion::unknown_just_here(cx, host, a).await
    {
        return Unavailable::by("dns.resolvers_agree", finding);
    }
    Unavailable::by("dns.address", missing(host, a, aaaa))
}

/// Whether the host was named by the operator, not guessed by discovery.
fn is_configured(target: &Target, host: &str) -> bool {
    let bases = [&target.homeserver, &target.element, &target.jitsi];
    let mut hosts = bases.into_iter().flatten().filter_map(|base| base.host_str());
    host == host_of(&target.server_name) || hosts.any(|known| known == host)
}

async fn alias_of(cx: &Cx, host: &str) -> Option<String> {
    let lookup = cx.net().lookup(host, Kind::Cname).await;
    lookup.records().find_map(|record| match &record.data {
        Data::Cname(target) => Some(target.clone()),
        _ => None,
    })
}

async fn has_srv(cx: &Cx, host: &str) -> bool {
    for service in ["_matrix-fed._tcp", "_matrix._tcp"] {
        let lookup = cx.net().lookup(&format!("{service}.{host}"), Kind::Srv).await;
        if lookup.records().next().is_some() {
            return true;
        }
    }
    false
}

fn shown(finding: Finding, host: &str, a: &Lookup, aaaa: &Lookup) -> Finding {
    finding
        .on(host)
        .expected("an A or AAAA record")
        .actual(format!("A: {}; AAAA: {}", brief(&a.answer), brief(&aaaa.answer)))
        .evidence(EvidenceKind::Dns, describe(a))
        .evidence(EvidenceKind::Dns, describe(aaaa))
}

fn brief(answer: &Answer) -> String {
    match answer {
        Answer::Records(records) => format!("{} records", records.len()),
        Answer::NoData => "none".into(),
        Answer::NxDomain => "no such name".into(),
        Answer::Refused(code) => code.clone(),
        Answer::Unanswered(_) => "no answer".into(),
    }
}

fn missing(host: &str, a: &Lookup, aaaa: &Lookup) -> Finding {
    let nothing = a.answer == Answer::NxDomain || aaaa.answer == Answer::NxDomain;
    let summary = if nothing {
        format!("{host} does not exist in DNS")
    } else {
        format!("{host} exists in DNS and has no address")
    };
    let finding = Finding::fail("dns-record-missing", summary).remedy(format!(
        "create the DNS record of {host}; with a Cloudflare Tunnel that is the operator's work: \
         look for {host} as `fqdn` in the TunnelBinding and for errors in the operator's log"
    ));
    shown(finding, host, a, aaaa)
}

fn dangling(host: &str, alias: &str, a: &Lookup, aaaa: &Lookup) -> Finding {
    let summary = format!("{host} is an alias of {alias}, which has no address");
    let finding = Finding::fail("dns-dangling-alias", summary).remedy(format!(
        "point the CNAME of {host} at a name that exists, or remove it; who can claim {alias} can \
         answer in the name of {host}"
    ));
    shown(finding, host, a, aaaa)
}

fn only_srv(host: &str, a: &Lookup, aaaa: &Lookup) -> Finding {
    let summary = format!(
        "{host} has no address, only SRV records: other servers find it, clients cannot discover it"
    );
    shown(Finding::warn("server-name-without-address", summary), host, a, aaaa)
}

fn unanswered(host: &str, a: &Lookup, aaaa: &Lookup) -> Finding {
    let is_servfail = |code: &str| code.eq_ignore_ascii_case("servfail");
    let servfail =
        |lookup: &Lookup| matches!(&lookup.answer, Answer::Refused(code) if is_servfail(code));
    let finding = if servfail(a) || servfail(aaaa) {
        Finding::fail("dns-zone-broken", format!("the zone of {host} cannot be asked: SERVFAIL"))
    } else {
        let summary = format!("our resolver has no answer for {host}, though it answers otherwise");
        Finding::error(summary)
    };
    shown(finding.transient(), host, a, aaaa)
}

fn private_address(host: &str, resolved: &Resolved) -> Finding {
    let list = listed(&resolved.private);
    let finding = Finding::fail(
        "dns-private-address",
        format!("{host} resolves to {list}, which nobody outside can reach"),
    );
    let finding = shown(finding, host, &resolved.a, &resolved.aaaa);
    finding.expected("an address that can be reached from the internet").actual(list)
}

/// The name has public addresses by its own servers: the resolver here has a view of its own.
fn split_horizon(host: &str, resolved: &Resolved, public: &[IpAddr]) -> Finding {
    let finding = Finding::error_of(
        "split-horizon-here",
        format!(
            "our resolver gives {host} the address {}, while the zone's own servers give {}: what \
             users outside see cannot be measured so",
            listed(&resolved.private),
            listed(public)
        ),
    );
    shown(finding, host, &resolved.a, &resolved.aaaa)
}

/// Addresses in words, each with the range that makes it unreachable.
pub(crate) fn listed(addresses: &[IpAddr]) -> String {
    let one = |address: &IpAddr| match reserved(*address) {
        Some(range) => format!("{address} ({range})"),
        None => address.to_string(),
    };
    addresses.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Whether nobody outside can reach an address, and the operator did not say otherwise.
pub fn unreachable_from_outside(target: &Target, address: IpAddr) -> bool {
    reserved(address).is_some() && !target.routable.iter().any(|range| range.contains(address))
}

/// What an address is set aside for, if it is not for the internet (RFC 6890 and its registries).
pub fn reserved(address: IpAddr) -> Option<&'static str> {
    if let IpAddr::V6(v6) = address
        && let Some(v4) = v6.to_ipv4_mapped()
    {
        return reserved(IpAddr::V4(v4));
    }
    RESERVED.iter().find_map(|(range, name)| {
        let range: Cidr = range.parse().expect("the table holds ranges");
        range.contains(address).then_some(*name)
    })
}

/// Special-purpose ranges that are not globally reachable, by the IANA registries.
const RESERVED: &[(&str, &str)] = &[
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "shared, carrier-grade NAT"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "protocol assignments"),
    ("192.0.2.0/24", "documentation"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "benchmarking"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("64:ff9b:1::/48", "local translation"),
    ("100::/64", "discard"),
    ("2001:2::/48", "benchmarking"),
    ("2001:10::/28", "ORCHID"),
    ("2001:20::/28", "ORCHIDv2"),
    ("2001:db8::/32", "documentation"),
    ("3fff::/20", "documentation"),
    ("5f00::/16", "segment routing"),
    ("fc00::/7", "unique local"),
    ("fe80::/10", "link-local"),
    ("ff00::/8", "multicast"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn reserved_ranges_are_known_by_their_edges() {
        for (inside, name) in [
            ("10.255.255.255", "private"),
            ("100.64.0.1", "shared, carrier-grade NAT"),
            ("100.127.255.255", "shared, carrier-grade NAT"),
            ("172.31.255.255", "private"),
            ("192.168.0.1", "private"),
            ("198.19.255.255", "benchmarking"),
            ("255.255.255.255", "reserved"),
            ("::ffff:10.0.0.1", "private"),
            ("fd12:3456::1", "unique local"),
            ("fe80::1", "link-local"),
            ("2001:db8::1", "documentation"),
        ] {
            assert_eq!(reserved(address(inside)), Some(name), "{inside}");
        }
        for outside in
            ["9.9.9.9", "100.63.255.255", "100.128.0.1", "172.32.0.1", "198.20.0.1", "2606:4700::1"]
        {
            assert_eq!(reserved(address(outside)), None, "{outside}");
        }
    }

    #[test]
    fn the_operator_may_declare_a_range_reachable() {
        let mut target = Target::default();
        assert!(unreachable_from_outside(&target, address("198.51.100.7")));
        target.routable = vec!["198.51.100.0/24".parse().expect("a range")];
        assert!(!unreachable_from_outside(&target, address("198.51.100.7")));
        assert!(unreachable_from_outside(&target, address("10.0.0.5")));
    }

    #[test]
    fn a_server_name_has_a_host() {
        assert_eq!(host_of("Example.org:8448"), "example.org");
        assert_eq!(host_of("[2001:db8::1]:8448"), "2001:db8::1");
        assert_eq!(host_of("192.0.2.1"), "192.0.2.1");
    }
}
