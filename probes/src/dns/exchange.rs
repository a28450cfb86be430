//! One question to one server: UDP, once repeated, and TCP where the answer was truncated.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::Message;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout_at};

use super::message::Question;

/// Sends the question and waits for its answer, at most `limit`.
pub(super) async fn exchange(
    server: SocketAddr,
    question: &Question,
    limit: Duration,
) -> Result<Message, String> {
    let deadline = Instant::now() + limit;
    let message = over_udp(server, question, limit, deadline).await?;
    if !message.metadata.truncation {
        return Ok(message);
    }
    match timeout_at(deadline, over_tcp(server, question)).await {
        Ok(answer) => answer.map_err(|error| format!("over TCP: {error}")),
        Err(_) => Err(format!("no answer over TCP within {limit:?}")),
    }
}

/// Repeats the question once, after a third of the time.
async fn over_udp(
    server: SocketAddr,
    question: &Question,
    limit: Duration,
    deadline: Instant,
) -> Result<Message, String> {
    let repeat = deadline - limit * 2 / 3;
    let mut unusable = None;
    for until in [repeat, deadline] {
        // Another socket, and so another port and id: an answer must guess both.
        let id = random_id()?;
        let bytes = question.encode(id)?;
        let socket = open(server).await.map_err(|error| error.to_string())?;
        socket.send(&bytes).await.map_err(|error| error.to_string())?;
        match timeout_at(until, receive(&socket, question, id, &mut unusable)).await {
            Ok(Ok(message)) => return Ok(message),
            Ok(Err(error)) => return Err(error.to_string()),
            Err(_) => {}
        }
    }
    Err(match unusable {
        Some(reason) => format!("no usable answer within {limit:?}: {reason}"),
        None => format!("no answer within {limit:?}"),
    })
}

/// The first datagram that answers the question; why others were not usable is kept.
async fn receive(
    socket: &UdpSocket,
    question: &Question,
    id: u16,
    unusable: &mut Option<String>,
) -> io::Result<Message> {
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        let length = socket.recv(&mut buffer).await?;
        match question.decode(id, &buffer[..length]) {
            Ok(message) => return Ok(message),
            Err(reason) => *unusable = Some(reason),
        }
    }
}

/// Connected, so that the kernel drops what other addresses send and tells of a closed port.
async fn open(server: SocketAddr) -> io::Result<UdpSocket> {
    let local: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(local).await?;
    socket.connect(server).await?;
    Ok(socket)
}

/// RFC 7766: two bytes of length before each message.
async fn over_tcp(server: SocketAddr, question: &Question) -> Result<Message, String> {
    let id = random_id()?;
    let bytes = question.encode(id)?;
    let length = u16::try_from(bytes.len()).map_err(|error| error.to_string())?;
    let bytes = [&length.to_be_bytes()[..], &bytes].concat();
    let answer = async {
        let mut stream = TcpStream::connect(server).await?;
        stream.write_all(&bytes).await?;
        let mut answer = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut answer).await?;
        io::Result::Ok(answer)
    };
    let answer = answer.await.map_err(|error| error.to_string())?;
    question.decode(id, &answer)
}

fn random_id() -> Result<u16, String> {
    let random = ring::rand::generate::<[u8; 2]>(&ring::rand::SystemRandom::new());
    random.map(|bytes| u16::from_be_bytes(bytes.expose())).map_err(|_| "no randomness".into())
}
