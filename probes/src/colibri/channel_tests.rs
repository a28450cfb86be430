use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

use super::*;
use crate::NetConfig;
use crate::testing::listen;

const CAPTURE: &str = include_str!("../../../fixtures/captures/jitsi/bridge-channel.json");

const LIMIT: Duration = Duration::from_secs(10);

async fn connect(address: SocketAddr, limit: Duration) -> Result<BridgeSocket, ChannelError> {
    let url = format!("ws://{address}/colibri-ws/server/conference/abcd1234?pwd=a%20b");
    let site = "https://meet.example.org/room".parse().expect("a URL");
    let net = Net::new(NetConfig::default());
    net.bridge_socket(&url.parse().expect("a URL"), &site, limit).await
}

fn case(what: &str) -> Value {
    let all: Vec<Value> = serde_json::from_str(CAPTURE).expect("the capture is JSON");
    all.into_iter().find(|case| case["what"] == what).expect("captured")
}

/// The frames of a captured conversation.
fn frames(what: &str) -> Vec<String> {
    let messages = case(what)["messages"].as_array().expect("messages").clone();
    let text = |one: &Value| one["msg"].as_str().or(one.as_str()).map(str::to_owned);
    messages.iter().map(|one| text(one).expect("text")).collect()
}

/// Greets as the real bridge did, and says to each message who sent it.
async fn bridge(stream: TcpStream, greeting: Vec<String>) {
    let check = |request: &Request, response: Response| {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        assert_eq!(header("origin"), Some("https://meet.example.org"));
        assert_eq!(header("sec-websocket-protocol"), None);
        let path = "/colibri-ws/server/conference/abcd1234?pwd=a%20b";
        assert_eq!(request.uri().to_string(), path, "unmodified");
        Ok(response)
    };
    let mut socket = accept_hdr_async(stream, check).await.expect("an upgrade");
    for frame in greeting {
        socket.send(Frame::text(frame)).await.expect("it reads");
    }
    while let Some(Ok(Frame::Text(text))) = socket.next().await {
        let mut message: Value = serde_json::from_str(text.as_str()).expect("JSON");
        message["from"] = "e22d9a38".into();
        socket.send(Frame::text(message.to_string())).await.expect("it reads");
    }
}

#[tokio::test]
async fn waits_for_the_greeting_and_passes_messages_on() {
    let address = listen(|stream| bridge(stream, frames("bridge channel A, right url"))).await;
    let mut socket = connect(address, LIMIT).await.expect("greeted");
    assert_eq!(socket.version, None);
    let next = socket.receive(LIMIT).await.expect("a message");
    assert_eq!(next, Message::ForwardedSources(Vec::new()));
    socket.send(&Message::nonce("e1657a3c", "abc")).await.expect("sent");
    let seen = socket.receive(LIMIT).await.expect("a message");
    let real = &frames("EndpointMessage from A to B, as B got it")[0];
    assert_eq!(Ok(&seen), Message::parse(real).as_ref());
    assert_eq!(seen.as_nonce(), Some("abc"));
    socket.close().await;
}

/// Answers everything with these bytes, and closes.
async fn answer_with(bytes: String) -> SocketAddr {
    listen(move |mut stream: TcpStream| {
        let bytes = bytes.clone();
        async move {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(bytes.as_bytes()).await;
        }
    })
    .await
}

fn page(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let real = |what: &str| case(what)["body"].as_str().expect("a body").to_owned();
    let address = answer_with(page("403 Forbidden", &real("wrong password"))).await;
    match connect(address, LIMIT).await {
        Err(ChannelError::Forbidden(why)) => assert_eq!(why, "Error 403 authentication failed"),
        other => panic!("{other:?}"),
    }
    let address = answer_with(page("404 Not Found", &real("wrong server id"))).await;
    match connect(address, LIMIT).await {
        Err(ChannelError::NotFound(why)) => assert_eq!(why, "Error 404 server ID mismatch"),
        other => panic!("{other:?}"),
    }
    let address = answer_with(page("200 OK", "<!DOCTYPE html><title>Jitsi Meet</title>")).await;
    match connect(address, LIMIT).await {
        Err(ChannelError::Page { status, start }) => {
            assert_eq!((status.as_u16(), start.as_str()), (200, "Jitsi Meet"));
        }
        other => panic!("{other:?}"),
    }
    let address = answer_with(page("502 Bad Gateway", "<html>bad</html>")).await;
    let error = connect(address, LIMIT).await.expect_err("refused");
    assert!(matches!(error, ChannelError::Status { status, .. } if status == 502), "{error:?}");
}

#[tokio::test]
async fn silence_nonsense_and_the_end_are_told_apart() {
    let address = listen(|stream| bridge(stream, Vec::new())).await;
    let short = Duration::from_millis(200);
    let error = connect(address, short).await.expect_err("silent");
    assert!(matches!(error, ChannelError::TimedOut(limit) if limit == short), "{error:?}");

    let address = listen(|stream| bridge(stream, vec!["nonsense".into()])).await;
    let error = connect(address, LIMIT).await.expect_err("garbled");
    assert!(matches!(error, ChannelError::Garbled(_)), "{error:?}");

    let other = Message::DominantSpeaker("a".into()).to_string();
    let address = listen(move |stream| bridge(stream, vec![other.clone(); 50])).await;
    let error = connect(address, LIMIT).await.expect_err("never greeted");
    assert!(matches!(error, ChannelError::Garbled(_)), "{error:?}");

    let closing = |stream| async {
        let mut socket = tokio_tungstenite::accept_async(stream).await.expect("an upgrade");
        socket.close(None).await.expect("it reads");
    };
    let error = connect(listen(closing).await, LIMIT).await.expect_err("closed");
    assert!(matches!(error, ChannelError::Closed), "{error:?}");

    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let nobody = listener.local_addr().expect("bound");
    drop(listener);
    let error = connect(nobody, LIMIT).await.expect_err("refused");
    assert!(matches!(error, ChannelError::Http(_)), "{error:?}");
}
