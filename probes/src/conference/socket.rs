//! The bridge channel over WebSocket, for one guest.

use std::sync::Arc;
use std::time::{Duration, Instant};

use url::Url;

use super::attend::Attendance;
use super::observed::Talk;
use super::shared::Shared;
use crate::Net;
use crate::colibri::{BridgeSocket, ChannelError, Message};

/// How often our word is said again while the other guest has not heard it.
const REPEAT: Duration = Duration::from_millis(300);

/// Who talks to whom.
struct Pairing {
    shared: Arc<Shared>,
    index: usize,
    other: String,
    limit: Duration,
}

impl Attendance<'_> {
    /// Opens the bridge channel over WebSocket, where the invitation offers it.
    pub(super) fn begin_socket(&mut self) {
        let Some(url) = self.seen.invitation().and_then(|it| it.transport.web_sockets.first())
        else {
            return;
        };
        let pairing = Pairing {
            shared: Arc::clone(&self.shared),
            index: self.index,
            other: self.shared.endpoint(1 - self.index),
            limit: self.options.limits.channel,
        };
        let (net, url, site) = (self.net.clone(), url.clone(), self.places.page.clone());
        self.socket = Some(Box::pin(async move { talk(&net, &url, &site, &pairing).await }));
    }
}

async fn talk(net: &Net, url: &Url, site: &Url, pairing: &Pairing) -> Talk {
    let mut talk = Talk { place: place(url), ..Talk::default() };
    match net.bridge_socket(url, site, pairing.limit).await {
        Ok(socket) => {
            talk.hello = true;
            talk.opened = Some(socket.greeted_after);
            let mut heard = None;
            talk.refused = pairing.converse(socket, &mut heard).await.err();
            talk.heard = heard;
        }
        Err(refusal) => talk.refused = Some(refusal),
    }
    talk
}

impl Pairing {
    /// Says our word until the other guest has it, and listens for the other's.
    async fn converse(
        &self,
        mut socket: BridgeSocket,
        heard: &mut Option<Duration>,
    ) -> Result<(), ChannelError> {
        let ours = Message::nonce(&self.other, &self.shared.nonce(self.index));
        let theirs = self.shared.nonce(1 - self.index);
        let opened = Instant::now();
        while opened.elapsed() < self.limit {
            socket.send(&ours).await?;
            let again = Instant::now() + REPEAT;
            while Instant::now() < again {
                let left = again.saturating_duration_since(Instant::now());
                match socket.receive(left).await {
                    Ok(message) if message.as_nonce() == Some(theirs.as_str()) => {
                        heard.get_or_insert_with(|| opened.elapsed());
                        self.shared.update(self.index, |progress| progress.told_by_socket = true);
                    }
                    Ok(_) | Err(ChannelError::TimedOut(_)) => {}
                    Err(error) => return Err(error),
                }
                let other = self.shared.guest(1 - self.index);
                if heard.is_some() && (other.told_by_socket || other.stuck) {
                    socket.close().await;
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// The address without the password that is in it.
fn place(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.to_string()
}
