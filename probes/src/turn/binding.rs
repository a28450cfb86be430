//! A plain STUN binding request: where do I come from?

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::time::timeout_at;

use crate::Net;
use crate::stun::{self, Class, Message, Received, plain};

/// The first wait before it is sent again; doubled each time.
const RETRANSMIT: Duration = Duration::from_millis(250);

/// An answer to a binding request, which proves that UDP works there and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// Where the server sees us, where it says so.
    pub mapped: Option<SocketAddr>,
    /// An error code, which proves the way as much.
    pub code: Option<u16>,
    /// How often it was sent.
    pub sent: u32,
    /// From the last sending to the answer.
    pub rtt: Duration,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindingError {
    /// ICMP says that nothing listens, which also proves the way.
    #[error("nothing listens there (ICMP port unreachable)")]
    Refused,
    /// Nothing came back.
    #[error("{0} requests sent, nothing came back")]
    Silent(u32),
    /// Nothing can be sent from here.
    #[error("UDP cannot be sent from here: {0}")]
    Ours(String),
}

impl Net {
    /// Asks a STUN server over UDP where we come from.
    ///
    /// # Errors
    /// [`BindingError`].
    pub async fn stun_binding(
        &self,
        server: SocketAddr,
        limit: Duration,
    ) -> Result<Binding, BindingError> {
        let to = self.config().overrides.address(server);
        let any = match to {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let ours = |error: std::io::Error| BindingError::Ours(error.to_string());
        let socket = UdpSocket::bind(any).await.map_err(ours)?;
        socket.connect(to).await.map_err(ours)?;
        let request = Message::new(Class::Request, stun::transaction());
        let bytes = request.encode(None).map_err(BindingError::Ours)?;
        let until = Instant::now() + limit;
        let (mut sent, mut wait) = (0, RETRANSMIT);
        while Instant::now() < until {
            let begun = Instant::now();
            socket.send(&bytes).await.map_err(|error| failure(&error))?;
            sent += 1;
            let again = (begun + wait).min(until);
            wait *= 2;
            if let Ok(answer) = timeout_at(again.into(), answer(&socket, &request)).await {
                let message = answer?;
                return Ok(Binding {
                    mapped: message.mapped.map(plain),
                    code: message.error.map(|(code, _)| code),
                    sent,
                    rtt: begun.elapsed(),
                });
            }
        }
        Err(BindingError::Silent(sent))
    }
}

async fn answer(socket: &UdpSocket, request: &Message) -> Result<Message, BindingError> {
    let mut buffer = [0; stun::MAX_BYTES];
    loop {
        let length = socket.recv(&mut buffer).await.map_err(|error| failure(&error))?;
        let received = Received::decode(&buffer[..length]).map(|received| received.message);
        if let Some(message) = received
            && message.transaction == request.transaction
            && message.class != Class::Request
        {
            return Ok(message);
        }
    }
}

fn failure(error: &std::io::Error) -> BindingError {
    match error.kind() {
        ErrorKind::ConnectionRefused => BindingError::Refused,
        _ => BindingError::Ours(error.to_string()),
    }
}
