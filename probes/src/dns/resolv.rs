//! The system's name servers and search domains.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Name servers that are read at most, as in resolv.conf(5).
const MOST: usize = 3;

/// Search domains that are read at most, as in resolv.conf(5) of old.
const MOST_DOMAINS: usize = 6;

/// What `/etc/resolv.conf` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct System {
    /// Name servers; this machine's own where it names none, as in resolv.conf(5).
    pub(crate) servers: Vec<SocketAddr>,
    /// Search domains, without the final dot; only for the names of Kubernetes Services, all
    /// others are absolute.
    pub(crate) search: Vec<String>,
}

impl System {
    pub(crate) fn read() -> Self {
        let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
        let mut servers = servers(&text);
        if servers.is_empty() {
            servers.push((Ipv4Addr::LOCALHOST, 53).into());
        }
        Self { servers, search: search(&text) }
    }
}

/// The last `search` line counts.
fn search(text: &str) -> Vec<String> {
    let last = text.lines().filter_map(|line| line.trim_start().strip_prefix("search")).next_back();
    let domains = last.unwrap_or_default().split_whitespace();
    domains.map(|domain| domain.trim_end_matches('.').to_owned()).take(MOST_DOMAINS).collect()
}

fn servers(text: &str) -> Vec<SocketAddr> {
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
        let servers: Vec<_> = servers(text).iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["192.0.2.1:53", "[2001:db8::1]:53", "192.0.2.2:53"]);
    }

    #[test]
    fn the_last_search_line_counts() {
        let text = "search old.example\nsearch app.svc.cluster.local svc.cluster.local\tlan.\n";
        assert_eq!(search(text), ["app.svc.cluster.local", "svc.cluster.local", "lan"]);
        assert_eq!(search("nameserver 192.0.2.1\n"), Vec::<String>::new());
    }
}
