//! Blocks of addresses.

use std::net::IpAddr;

use mxdoctor_probes::manifest::Node;

/// A range of addresses: `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    v6: bool,
    /// The address, with the bits below the prefix cleared; those of IPv4 are the upper ones.
    bits: u128,
    prefix: u32,
}

/// An `ipBlock` of a policy.
#[derive(Debug, Clone)]
pub struct Block {
    range: Range,
    except: Vec<Range>,
}

/// Where the addresses of pods usually are; no server of the internet has them.
const PODS: &[&str] =
    &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"];

/// Others that no server of the internet has.
const LOCAL: &[&str] = &["169.254.0.0/16", "127.0.0.0/8", "0.0.0.0/8", "224.0.0.0/3", "fe80::/10"];

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.trim().split_once('/')?;
        let prefix: u32 = prefix.parse().ok()?;
        let (v6, width, bits) = match address.parse().ok()? {
            IpAddr::V4(ip) => (false, 32, u128::from(ip.to_bits()) << 96),
            IpAddr::V6(ip) => (true, 128, ip.to_bits()),
        };
        (prefix <= width).then_some(Self { v6, bits: bits & mask(prefix), prefix })
    }

    /// Whether every address of another range is in this one.
    fn holds(&self, other: &Self) -> bool {
        self.v6 == other.v6
            && self.prefix <= other.prefix
            && other.bits & mask(self.prefix) == self.bits
    }

    /// Whether the two have an address in common.
    fn meets(&self, other: &Self) -> bool {
        self.holds(other) || other.holds(self)
    }
}

fn mask(prefix: u32) -> u128 {
    u128::MAX.checked_shl(128 - prefix).unwrap_or(0)
}

impl Block {
    /// The block of an `ipBlock`; none where it cannot be read.
    pub fn new(node: &Node) -> Option<Self> {
        let range = Range::parse(node.str("cidr")?)?;
        let except = node.list("except").iter();
        let except = except.map(|one| Range::parse(one.as_str()?)).collect::<Option<_>>()?;
        Some(Self { range, except })
    }

    /// Whether it is all addresses of a family, but for what it excepts.
    pub fn is_world(&self) -> bool {
        self.range.prefix == 0
    }

    /// Whether it is all addresses of IPv4 without an exception.
    pub fn is_everything(&self) -> bool {
        self.is_world() && !self.range.v6 && self.except.is_empty()
    }

    /// Whether it is every address of the internet over IPv4: what it excepts is private.
    pub fn is_internet(&self) -> bool {
        self.is_world() && !self.range.v6 && self.except.iter().all(is_private)
    }

    /// Whether there is an address of the internet in it.
    pub fn has_public(&self) -> bool {
        !is_private(&self.range)
    }

    /// Whether it has addresses of the kind that pods have.
    pub fn has_pods(&self) -> bool {
        ranges(PODS).any(|range| {
            self.range.meets(&range) && !self.except.iter().any(|except| except.holds(&range))
        })
    }
}

fn is_private(one: &Range) -> bool {
    ranges(PODS).chain(ranges(LOCAL)).any(|range| range.holds(one))
}

fn ranges(texts: &'static [&'static str]) -> impl Iterator<Item = Range> {
    texts.iter().filter_map(|text| Range::parse(text))
}
