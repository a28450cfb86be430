//! The system's name servers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Name servers that are read at most, as in resolv.conf(5).
const MOST: usize = 3;

/// Those of `/etc/resolv.conf`; this machine's own where it names none, as in resolv.conf(5).
pub(crate) fn system_resolvers() -> Vec<SocketAddr> {
    let servers = parse(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default());
    if servers.is_empty() { vec![(Ipv4Addr::LOCALHOST, 53).into()] } else { servers }
}

/// Search domains and options are left aside: all names asked for are absolute.
fn parse(text: &str) -> Vec<SocketAddr> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some("nameserver")).then(|| words.next()).flatten()
        })
        .filter_map(|address| address.parse::<IpAddr>().ok())
        .map(|address| SocketAddr::new(address, 53))
        .take(MOST)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_three_servers_count() {
        let text = "# nameserver 192.0.2.9\nsearch example.org\nnameserver 192.0.2.1\n\
                    nameserver\t2001:db8::1 # ours\nnameserver fe80::1%eth0\nnameserver x\n\
                    nameserver 192.0.2.2\nnameserver 192.0.2.3\n";
        let servers: Vec<_> = parse(text).iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["192.0.2.1:53", "[2001:db8::1]:53", "192.0.2.2:53"]);
    }
}
