use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::HeaderValue;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use http_body_util::Full;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};
use url::Url;

use super::{UpgradeError, WebSocket};
use crate::Net;
use crate::http::HttpError;
use crate::testing::{Authority, TlsServer, config, listen};
use crate::tls::HandshakeError;

const NAME: &str = "meet.example.org";
const PATIENCE: Duration = Duration::from_secs(10);

fn net(root: &Authority, address: SocketAddr) -> Net {
    Net::new(config(root, &[(NAME, 443, address), (NAME, 80, address)]))
}

async fn open(net: &Net, url: &str) -> Result<WebSocket, UpgradeError> {
    net.websocket(&Url::parse(url).expect("a URL"), "xmpp").await
}

/// Accepts what a browser would send, tells the origin, and then does as it is told.
async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut origin = String::new();
    let check = |request: &Request, mut response: Response| {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        origin = header("origin").unwrap_or("none").to_owned();
        assert_eq!(header("sec-websocket-protocol"), Some("xmpp"));
        assert_eq!(request.uri().to_string(), "/xmpp-websocket?room=a%20b");
        let protocol = HeaderValue::from_static("xmpp");
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol);
        Ok(response)
    };
    let mut socket = accept_hdr_async(stream, check).await.expect("an upgrade");
    socket.send(Message::text(origin)).await.expect("it reads");
    while let Some(Ok(message)) = socket.next().await {
        obey(&mut socket, message).await;
    }
}

async fn obey<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    message: Message,
) {
    let Message::Text(text) = message else { return };
    let answers = match text.as_str() {
        "ping" => vec![Message::Ping(Bytes::from_static(b"?")), Message::text("pinged")],
        "binary" => vec![Message::Binary(Bytes::from_static(b"\0"))],
        "large" => vec![Message::text("x".repeat(256 * 1024 + 1))],
        "silence" => vec![],
        "bye" => vec![Message::Close(None)],
        other => vec![Message::text(other)],
    };
    for answer in answers {
        // It may have had enough.
        let _ = socket.send(answer).await;
    }
}

async fn websocket() -> WebSocket {
    let root = Authority::root("Root");
    let server = root.leaf(NAME).server(&["h2", "http/1.1"]);
    let address = listen(move |stream| {
        let acceptor = TlsAcceptor::from(server.clone());
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                serve(stream).await;
            }
        }
    })
    .await;
    let url = "wss://meet.example.org/xmpp-websocket?room=a%20b";
    open(&net(&root, address), url).await.expect("a WebSocket")
}

#[tokio::test]
async fn text_goes_to_and_fro() {
    let mut socket = websocket().await;
    assert_eq!((socket.protocol.as_deref(), socket.status.as_u16()), (Some("xmpp"), 101));
    let mut receive = async |said: Option<&str>| {
        if let Some(text) = said {
            socket.send(text).await.expect("it reads");
        }
        socket.receive(PATIENCE).await.expect("a message")
    };
    assert_eq!(receive(None).await.as_deref(), Some("https://meet.example.org"));
    assert_eq!(receive(Some("<open/>")).await.as_deref(), Some("<open/>"));
    assert_eq!(receive(Some("ping")).await.as_deref(), Some("pinged"));
    assert_eq!(receive(Some("bye")).await, None);
    socket.close().await;
}

#[tokio::test]
async fn what_is_no_text_in_time_is_an_error() {
    for (said, kind) in [("binary", io::ErrorKind::InvalidData), ("large", io::ErrorKind::Other)] {
        let mut socket = websocket().await;
        socket.receive(PATIENCE).await.expect("the origin");
        socket.send(said).await.expect("it reads");
        assert_eq!(socket.receive(PATIENCE).await.expect_err(said).kind(), kind);
    }
    let mut socket = websocket().await;
    socket.receive(PATIENCE).await.expect("the origin");
    socket.send("silence").await.expect("it reads");
    let error = socket.receive(Duration::from_millis(100)).await.expect_err("silence");
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    socket.close().await;
}

#[tokio::test]
async fn an_answer_other_than_101_is_kept() {
    let root = Authority::root("Root");
    let server = TlsServer::new(root.leaf(NAME).server(&["h2", "http/1.1"]), |_| async {
        let mut answer = http::Response::new(Full::from("x".repeat(5000)));
        *answer.status_mut() = http::StatusCode::BAD_GATEWAY;
        answer.headers_mut().insert("server", HeaderValue::from_static("edge"));
        answer
    })
    .await;
    let error = open(&net(&root, server.address), "wss://meet.example.org/").await.err();
    let Some(UpgradeError::Status(response)) = error else { panic!("{error:?}") };
    assert_eq!((response.status.as_u16(), response.header("server")), (502, Some("edge")));
    assert_eq!((response.body.len(), response.cut.is_some()), (4096, true));
    assert!(response.session.is_some());
}

/// Answers the request's head with this, over plain TCP.
async fn upgraded_with(answer: &'static str) -> Result<WebSocket, UpgradeError> {
    let address = listen(move |mut stream: TcpStream| async move {
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        stream.write_all(answer.as_bytes()).await.expect("the client reads");
        let _ = stream.read(&mut request).await;
    })
    .await;
    open(&net(&Authority::root("Root"), address), "ws://meet.example.org/").await
}

#[tokio::test]
async fn a_101_that_proves_nothing_is_not_believed() {
    for answer in [
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
    ] {
        let outcome = upgraded_with(answer).await;
        assert!(matches!(&outcome, Err(UpgradeError::Invalid(_))), "{answer:?}");
    }
    let outcome = upgraded_with("RFB 003.008\n").await;
    assert!(matches!(outcome, Err(UpgradeError::Http(HttpError::Garbage { .. }))));
}

#[tokio::test]
async fn trouble_below_is_told() {
    let root = Authority::root("Root");
    let server = TlsServer::hello(Authority::root("Other").leaf(NAME).server(&[])).await;
    let error = open(&net(&root, server.address), "wss://meet.example.org/").await.err();
    assert!(matches!(error, Some(UpgradeError::Http(HttpError::Certificate { .. }))), "{error:?}");
    let closed = crate::testing::free_address();
    let error = open(&net(&root, closed), "wss://meet.example.org/").await.err();
    let Some(UpgradeError::Http(HttpError::Handshake { error, .. })) = error else {
        panic!("{error:?}")
    };
    assert!(matches!(error, HandshakeError::Connect(_)), "{error}");
}
