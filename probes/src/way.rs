//! How far one endpoint's packets came: UDP, ICE, DTLS, media and the bridge channel.
//!
//! The endpoint of a direct test has one, and so has each guest of a conference.

use std::net::SocketAddr;
use std::time::Duration;

use crate::dtls::{DtlsError, Secured};
use crate::ice::{Credentials, Pair};
use crate::media::Media;
use crate::stun::{self, Class, Message};
use crate::transport::{Traffic, is_refused};

/// What came of the packets between one endpoint and the bridge.
#[derive(Debug, Clone)]
pub struct Way {
    /// Every pair with what happened on it; one for each candidate, and for those learned.
    pub pairs: Vec<Pair>,
    /// Candidates of `pairs` where an ICMP message says that nothing listens.
    pub closed: Vec<SocketAddr>,
    /// Candidates beyond the bound of an agent, not tried.
    pub dropped: usize,
    /// ICE; how long it was tried, and the pair if one was nominated.
    pub ice: IceStage,
    /// DTLS; none when ICE came to no pair. Also whether the bridge's hello came.
    pub dtls: Option<(Result<Secured, DtlsError>, bool)>,
    /// What was sent and heard, where media was begun.
    pub media: Option<Media>,
    /// All packets.
    pub traffic: Traffic,
}

/// How ICE went.
#[derive(Debug, Clone)]
pub struct IceStage {
    /// From the first check to the nomination, or to giving up.
    pub elapsed: Duration,
    /// The nominated pair.
    pub selected: Option<Pair>,
    /// Checks of the bridge that were not signed with our credentials.
    pub refused: u32,
}

/// Asks silent candidates once more from another port, just to hear an ICMP "port unreachable".
pub(crate) async fn closed(
    silent: &[Pair],
    theirs: &Credentials,
    limit: Duration,
) -> Vec<SocketAddr> {
    let mut message = Message::new(Class::Request, stun::transaction());
    message.username = Some(format!("{}:probe", theirs.ufrag));
    let Ok(bytes) = message.encode(Some(&theirs.pwd)) else { return Vec::new() };
    let bytes = &bytes;
    let asked = silent.iter().map(|pair| async move {
        is_refused(pair.route, bytes, limit).await.then_some(pair.candidate.address)
    });
    futures_util::future::join_all(asked).await.into_iter().flatten().collect()
}

/// Whether nothing more is to be learnt of a pair by waiting.
pub(crate) fn is_settled(pair: &Pair) -> bool {
    pair.is_open() || pair.unsendable.is_some()
}
