//! From a name to the addresses to connect to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::Net;
use crate::dns::{Answer, Data, Kind, Lookup};
use crate::http::HttpError;

/// How long an answer is kept: requests of one run ask once, a run that waits asks again.
const KEPT: Duration = Duration::from_secs(10);

/// How long it is kept that there is none.
const FAILURE_KEPT: Duration = Duration::from_secs(1);

impl Net {
    /// Where to connect for a host name or an address as text: the configuration's addresses for
    /// this name and port, else those of DNS, IPv6 and IPv4 in turn. Answers are kept for ten
    /// seconds. `localhost` is not asked of DNS (RFC 6761 section 6.3).
    ///
    /// # Errors
    /// [`HttpError::Resolve`] when the name has no address, [`HttpError::Ours`] when no name
    /// server answered.
    pub async fn addresses_for(&self, name: &str, port: u16) -> Result<Vec<SocketAddr>, HttpError> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if let Some(given) = self.config().overrides.names.get(&(name.clone(), port)) {
            return Ok(given.clone());
        }
        if let Ok(address) = name.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        if name == "localhost" || name.ends_with(".localhost") {
            let both = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
            return Ok(both.map(|address| SocketAddr::new(address, port)).to_vec());
        }
        let fresh = |kept: &Result<_, _>, age| age < if kept.is_ok() { KEPT } else { FAILURE_KEPT };
        let (net, asked) = (self.clone(), name.clone());
        let ask = || async move { net.ask_addresses(&asked).await };
        let (addresses, _) = self.addresses().get(name, fresh, ask).await;
        Ok(addresses?.into_iter().map(|address| SocketAddr::new(address, port)).collect())
    }

    async fn ask_addresses(&self, name: &str) -> Result<Vec<IpAddr>, HttpError> {
        let (a, aaaa) = tokio::join!(self.lookup(name, Kind::A), self.lookup(name, Kind::Aaaa));
        let addresses = interleave(&aaaa.addresses(), &a.addresses());
        if !addresses.is_empty() {
            return Ok(addresses);
        }
        for lookup in [&a, &aaaa] {
            if let Answer::Unanswered(reason) = &lookup.answer {
                return Err(HttpError::Ours(format!(
                    "no name server answers for {name}: {reason}"
                )));
            }
        }
        Err(HttpError::Resolve { name: name.to_owned(), reason: reason(&a) })
    }
}

/// One of each in turn, the first of the first list first.
fn interleave(first: &[IpAddr], second: &[IpAddr]) -> Vec<IpAddr> {
    (0..first.len().max(second.len()))
        .flat_map(|index| [first.get(index), second.get(index)])
        .flatten()
        .copied()
        .collect()
}

fn reason(lookup: &Lookup) -> String {
    match &lookup.answer {
        Answer::NxDomain => "the name does not exist (NXDOMAIN)".into(),
        Answer::NoData => "it has no A and no AAAA record".into(),
        Answer::Refused(code) => format!("the name server answers {code}"),
        Answer::Unanswered(reason) => reason.clone(),
        Answer::Records(records) => match records.last().map(|record| &record.data) {
            Some(Data::Cname(target)) => {
                format!("it is an alias of {target}, which has no address")
            }
            _ => "it has no A and no AAAA record".into(),
        },
    }
}
