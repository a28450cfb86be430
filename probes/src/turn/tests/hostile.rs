//! Servers that are down, half dead or hostile.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};

use super::super::{
    Attempt, Attributes, BindingError, Carrier, Class, Family, Message, Method, Server, TurnError,
};
use crate::testing::free_address;
use crate::{Net, NetConfig};

async fn attempt(carrier: Carrier, address: SocketAddr) -> Attempt {
    let credentials = Some(("user".into(), "password".into()));
    let server = Server { host: "127.0.0.1".into(), port: address.port(), carrier, credentials };
    let net = Net::new(NetConfig { system_roots: false, ..NetConfig::default() });
    net.turn(&server, address, Family::V4).await
}

/// A server over UDP that answers each request with what `answer` makes of it.
async fn udp(answer: impl Fn(Message) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("binds");
    let address = socket.local_addr().expect("bound");
    tokio::spawn(async move {
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let Some(message) = Message::decode(&buffer[..length]) else { continue };
            for datagram in answer(message) {
                let _ = socket.send_to(&datagram, from).await;
            }
        }
    });
    address
}

/// A server over TCP that says this again and again to whoever connects.
async fn tcp(says: Vec<u8>, times: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 512];
            let _ = stream.read(&mut request).await;
            for _ in 0..times {
                if stream.write_all(&says).await.is_err() {
                    break;
                }
            }
        }
    });
    address
}

fn challenge(request: &Message, code: u16, nonce: &str) -> Vec<u8> {
    let mut answer = Message::new(request.method, Class::Error, request.transaction);
    answer.attributes = Attributes {
        error: Some((code, "no".into())),
        realm: Some("example.org".into()),
        nonce: Some(nonce.into()),
        ..Attributes::default()
    };
    answer.encode(None).expect("encodes")
}

fn failure(attempt: Attempt) -> TurnError {
    attempt.outcome.expect_err("no relay")
}

#[tokio::test]
async fn nobody_there_is_said_at_once() {
    let begun = Instant::now();
    let error = failure(attempt(Carrier::Udp, free_address()).await);
    assert!(matches!(error, TurnError::Refused), "{error}");
    let error = failure(attempt(Carrier::Tcp, free_address()).await);
    assert!(matches!(error, TurnError::Connect(_)), "{error}");
    let error = failure(attempt(Carrier::Tls, free_address()).await);
    assert!(matches!(error, TurnError::Connect(_)), "{error}");
    assert!(begun.elapsed() < super::super::session::PATIENCE);
}

#[tokio::test]
async fn silence_is_asked_again_and_given_up() {
    let address = udp(|_| Vec::new()).await;
    let tried = attempt(Carrier::Udp, address).await;
    assert_eq!(tried.steps.len(), 1);
    assert!(tried.steps[0].sent >= 3 && tried.steps[0].code.is_none(), "{:?}", tried.steps);
    let error = failure(tried);
    assert!(matches!(error, TurnError::Silent { .. }), "{error}");
    let net = Net::new(NetConfig::default());
    let binding = net.stun_binding(address, Duration::from_millis(600)).await;
    assert!(matches!(binding, Err(BindingError::Silent(2..))), "{binding:?}");
}

#[tokio::test]
async fn other_protocols_are_named() {
    let http = tcp(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), 1).await;
    let error = failure(attempt(Carrier::Tcp, http).await);
    assert!(matches!(&error, TurnError::NotTurn(said) if said.contains("HTTP/1.1 400")), "{error}");
    let error = failure(attempt(Carrier::Tls, http).await);
    assert!(matches!(error, TurnError::Handshake(_)), "{error}");
}

#[tokio::test]
async fn a_closed_stream_and_an_endless_one_end() {
    let closed = tcp(Vec::new(), 0).await;
    let error = failure(attempt(Carrier::Tcp, closed).await);
    assert!(matches!(error, TurnError::Closed), "{error}");
    let mut data = Message::new(Method::Data, Class::Indication, [1; 12]);
    data.attributes.data = Some(vec![0; 1000]);
    data.attributes.peer = Some("192.0.2.1:9".parse().expect("an address"));
    let endless = tcp(data.encode(None).expect("encodes"), usize::MAX).await;
    let error = failure(attempt(Carrier::Tcp, endless).await);
    assert!(matches!(error, TurnError::Silent { .. }), "{error}");
}

#[tokio::test]
async fn endless_nonces_end() {
    let address = udp(|request| vec![challenge(&request, 438, "another")]).await;
    let tried = attempt(Carrier::Udp, address).await;
    assert_eq!(tried.steps.len(), 3, "{:?}", tried.steps);
    assert_eq!(failure(tried).code(), Some(438));
}

#[tokio::test]
async fn an_answer_not_signed_with_our_password_is_none() {
    let address = udp(|request| {
        if request.attributes.username.is_none() {
            return vec![challenge(&request, 401, "nonce")];
        }
        let mut answer = Message::new(request.method, Class::Success, request.transaction);
        answer.attributes.relayed = Some("192.0.2.1:50000".parse().expect("an address"));
        let unsigned = answer.encode(None).expect("encodes");
        vec![unsigned, answer.encode(Some(b"another key")).expect("encodes")]
    })
    .await;
    let error = failure(attempt(Carrier::Udp, address).await);
    assert!(matches!(error, TurnError::Unsigned(Method::Allocate)), "{error}");
}

#[tokio::test]
async fn an_answer_that_lacks_its_parts_is_named() {
    let address = udp(|request| {
        let answer = Message::new(request.method, Class::Error, request.transaction);
        vec![b"noise".to_vec(), answer.encode(None).expect("encodes")]
    })
    .await;
    let error = failure(attempt(Carrier::Udp, address).await);
    assert!(matches!(error, TurnError::Incomplete(Method::Allocate, "error code")), "{error}");
    let address = udp(|request| {
        let answer = Message::new(request.method, Class::Success, request.transaction);
        vec![answer.encode(None).expect("encodes")]
    })
    .await;
    let error = failure(attempt(Carrier::Udp, address).await);
    let missing = matches!(error, TurnError::Incomplete(Method::Allocate, "relayed address"));
    assert!(missing, "{error}");
}
