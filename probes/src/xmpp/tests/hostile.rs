//! Against servers that do what none should.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use http_body_util::{BodyExt as _, Full};
use tokio::net::TcpStream;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use url::Url;

use crate::testing::{Authority, config, listen, serve_http};
use crate::xmpp::{
    Carrier, Client, Element, LoggedIn, Login, LoginError, XmlError, XmppError, ns, parse,
};
use crate::{Net, NetConfig};

/// For what comes at once, on a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// For what never comes.
const IMPATIENCE: Duration = Duration::from_millis(300);

const NAME: &str = "meet.example.org";

const OPEN: &str = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='meet.jitsi' id='1'/>";
const FEATURES: &str = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>\
    <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism>\
    <mechanism>SCRAM-SHA-1</mechanism></mechanisms></stream:features>";
const SUCCESS: &str = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
const BARE: &str = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>";
const BOUND: &str = "<iq xmlns='jabber:client' type='result' id='mx1'>\
    <bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@meet.jitsi/b</jid></bind></iq>";

fn net(address: std::net::SocketAddr, patience: Duration) -> Net {
    let root = Authority::root("Root");
    Net::new(NetConfig { request_timeout: patience, ..config(&root, &[(NAME, 80, address)]) })
}

/// A server that answers each frame as told.
async fn websocket(
    answer: impl Fn(&str) -> Vec<String> + Clone + Send + Sync + 'static,
    patience: Duration,
) -> Client {
    let address = listen(move |stream: TcpStream| {
        let answer = answer.clone();
        async move {
            let Ok(mut socket) = accept_hdr_async(stream, agree).await else { return };
            while let Some(Ok(Message::Text(text))) = socket.next().await {
                for frame in answer(text.as_str()) {
                    // The client may have had enough.
                    let _ = socket.send(Message::text(frame)).await;
                }
            }
        }
    })
    .await;
    let url = Url::parse(&format!("ws://{NAME}/xmpp-websocket")).expect("a URL");
    let client = net(address, patience).xmpp_client(Carrier::WebSocket, &url).await;
    client.expect("a client")
}

fn agree(
    _: &Request,
    mut response: Response,
) -> Result<Response, tokio_tungstenite::tungstenite::handshake::server::ErrorResponse> {
    response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("xmpp"));
    Ok(response)
}

/// A server that says all this to the first frame, and nothing more.
async fn login(frames: &[&str]) -> Result<LoggedIn, LoginError> {
    login_within(frames, PATIENCE).await
}

async fn login_within(frames: &[&str], patience: Duration) -> Result<LoggedIn, LoginError> {
    let frames: Vec<String> = frames.iter().map(|&frame| frame.to_owned()).collect();
    let once = move |text: &str| match text.contains("<open") && !text.contains("mx1") {
        true => frames.clone(),
        false => Vec::new(),
    };
    let mut client = websocket(once, patience).await;
    client.login("meet.jitsi", &Login::Anonymous).await
}

#[tokio::test]
async fn a_proper_start_is_enough() {
    let told = login(&[OPEN, FEATURES, SUCCESS, OPEN, BARE, BOUND]).await.expect("a login");
    assert_eq!(told.jid, "a@meet.jitsi/b");
}

#[tokio::test]
async fn what_is_no_login_is_told() {
    type Is = fn(&LoginError) -> bool;
    let failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-allowed/>\
                   <text xml:lang='en'>token expired</text></failure>";
    let huge = format!("<a>{}</a>", "x".repeat(300 * 1024));
    let jid = BOUND.replace("a@meet", &"a".repeat(4000));
    let no_jid = BOUND.replace("jid>", "jit>");
    let refused = "<iq xmlns='jabber:client' type='error' id='mx1'><error type='cancel'>\
                   <conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>";
    let elsewhere = SUCCESS.replace("xmpp-sasl", "xmpp-sasl2");
    let deep = "<a>".repeat(100_000);
    let bomb = "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>";
    let cases: [(&[&str], Is); 12] = [
        (&["no XML"], |e| matches!(e, LoginError::Stream(XmppError::NotXmpp { .. }))),
        (&[bomb], |e| {
            let forbidden = XmlError::Forbidden("document types");
            matches!(e, LoginError::Stream(XmppError::NotXmpp { error, .. }) if *error == forbidden)
        }),
        (&[&deep], |e| matches!(e, LoginError::Stream(_))),
        (&[&huge], |e| matches!(e, LoginError::Stream(XmppError::Broken(_)))),
        (&[FEATURES], |e| matches!(e, LoginError::Stream(XmppError::Unexpected { .. }))),
        (&[OPEN, SUCCESS], |e| matches!(e, LoginError::Stream(XmppError::Unexpected { .. }))),
        (&[OPEN, FEATURES, &elsewhere], |e| {
            matches!(e, LoginError::Stream(XmppError::Unexpected { due: "success", .. }))
        }),
        (&[OPEN, FEATURES, failure], |e| {
            e.to_string() == "the login by ANONYMOUS is refused: not-allowed (token expired)"
        }),
        (&[OPEN, BARE, failure], |e| matches!(e, LoginError::NoMechanisms { .. })),
        (
            &[OPEN, FEATURES, SUCCESS, OPEN, BARE, refused],
            |e| matches!(e, LoginError::BindRefused(error) if error.condition == "conflict"),
        ),
        (&[OPEN, FEATURES, SUCCESS, OPEN, BARE, &no_jid], |e| matches!(e, LoginError::Garbled(_))),
        (&[OPEN, FEATURES, SUCCESS, OPEN, BARE, &jid], |e| matches!(e, LoginError::Garbled(_))),
    ];
    for (frames, is) in cases {
        let error = login(frames).await.expect_err("no login");
        assert!(is(&error), "{:?}: {error:?}", frames.first().map(|f| &f[..f.len().min(60)]));
    }
    for silent in [&[][..], &[OPEN], &[OPEN, FEATURES], &[OPEN, FEATURES, SUCCESS, OPEN, BARE]] {
        let error = login_within(silent, IMPATIENCE).await.expect_err("no login");
        assert!(matches!(error, LoginError::Stream(XmppError::TimedOut(_))), "{error:?}");
    }
    let noise = "<message xmlns='jabber:client'/>";
    let mut flood = vec![OPEN, FEATURES, SUCCESS, OPEN, BARE];
    flood.extend([noise; 300]);
    let error = login(&flood).await.expect_err("no login");
    assert!(matches!(error, LoginError::Stream(XmppError::Unexpected { .. })), "{error:?}");
    let mut some = vec![OPEN, FEATURES, SUCCESS, OPEN, BARE];
    some.extend([noise; 200]);
    some.push(BOUND);
    login(&some).await.expect("what comes in between is kept");
}

/// The server's side of SCRAM, as bad as told.
async fn scram(challenge: fn(nonce: &str) -> String) -> LoginError {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD;
    let answer = move |text: &str| {
        let element = parse(text).expect("XML");
        match element.name.as_str() {
            "open" => vec![OPEN.to_owned(), FEATURES.to_owned()],
            "auth" => {
                let first = base64.decode(element.get_text()).expect("Base64");
                let first = String::from_utf8(first).expect("text");
                assert!(first.starts_with("n,,n=ro=3Dme=2Co,r="), "{first}");
                let nonce = first.rsplit("r=").next().expect("a nonce");
                let text = base64.encode(challenge(nonce));
                vec![Element::new("challenge", ns::SASL).text(text).to_string()]
            }
            "response" => {
                let text = base64.encode("v=AAAA");
                vec![Element::new("success", ns::SASL).text(text).to_string()]
            }
            _ => vec![],
        }
    };
    let mut client = websocket(answer, PATIENCE).await;
    let login = Login::Password { user: "ro=me,o".into(), password: "pencil".into() };
    client.login("meet.jitsi", &login).await.expect_err("no login")
}

#[tokio::test]
async fn a_server_that_does_not_know_the_password_is_not_believed() {
    for (challenge, words) in [
        ((|nonce| format!("r={nonce}x,s=c2FsdA==,i=4096")) as fn(&str) -> String, "prove"),
        (|_| "r=other,s=c2FsdA==,i=4096".into(), "continue"),
        (|nonce| format!("r={nonce},s=c2FsdA==,i=4096"), "continue"),
        (|nonce| format!("r={nonce}x,s=c2FsdA==,i=4000000000"), "rounds"),
        (|nonce| format!("r={nonce}x,s=c2FsdA==,i=0"), "rounds"),
        (|nonce| format!("r={nonce}x,s=!,i=1"), "salt"),
        (|nonce| format!("r={nonce}x,i=1"), "salt"),
        (|_| String::new(), "nonce"),
    ] {
        let error = scram(challenge).await;
        let LoginError::Unproven { mechanism: "SCRAM-SHA-1", reason } = &error else {
            panic!("{words}: {error:?}")
        };
        assert!(reason.contains(words), "{reason}");
    }
}

/// A server of BOSH that answers the first requests as told, and every later one with the last.
async fn bosh(answers: &'static [(u16, &str)], patience: Duration) -> Client {
    let address = listen(move |stream: TcpStream| async move {
        serve_http(stream, false, move |request| async move {
            let body = request.into_body().collect().await.expect("a body").to_bytes();
            let body = parse(std::str::from_utf8(&body).expect("text")).expect("BOSH");
            let rid: u64 = body.get_attr("rid").expect("an id").parse().expect("a number");
            // The first request's id is random: the session's keeps it.
            let number = match body.get_attr("sid") {
                None => 0,
                Some(sid) => usize::try_from(rid - sid.parse::<u64>().expect("ours")).expect("few"),
            };
            let (status, text) = answers[number.min(answers.len() - 1)];
            let sid = body.get_attr("sid").map_or(rid.to_string(), str::to_owned);
            let text = text.replace("SID", &sid);
            let mut answer = http::Response::new(Full::from(Bytes::from(text)));
            *answer.status_mut() = http::StatusCode::from_u16(status).expect("a status");
            answer
        })
        .await;
    })
    .await;
    let url = Url::parse(&format!("http://{NAME}/http-bind")).expect("a URL");
    let client = net(address, patience).xmpp_client(Carrier::Bosh, &url).await;
    client.expect("nothing is sent yet")
}

const STARTED: &str = "<body xmlns='http://jabber.org/protocol/httpbind' sid='SID' wait='5'>\
    <features xmlns='http://etherx.jabber.org/streams'>\
    <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism>\
    </mechanisms></features></body>";
const NOTHING: &str = "<body xmlns='http://jabber.org/protocol/httpbind'/>";
const SUCCEEDED: &str = "<body xmlns='http://jabber.org/protocol/httpbind'>\
    <success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></body>";

#[tokio::test]
async fn what_is_no_bosh_is_told() {
    type Is = fn(&LoginError) -> bool;
    let bosh_error: Is = |error| matches!(error, LoginError::Stream(XmppError::Bosh(_)));
    let says = |text: &'static str| -> &'static [(u16, &'static str)] {
        Box::leak(Box::new([(200, STARTED), (200, text)]))
    };
    let fill = |text: &str| -> &'static str {
        Box::leak(NOTHING.replace("/>", &format!(">{text}</body>")).into_boxed_str())
    };
    let cases: [(&'static [(u16, &str)], Is); 10] = [
        (says(fill(&"x".repeat(4 << 20))), bosh_error),
        (says(fill(&("<a>".repeat(20_000) + &"</a>".repeat(20_000)))), bosh_error),
        (says(fill(&"<a/>".repeat(30_000))), bosh_error),
        (
            &[(200, STARTED), (200, "<!DOCTYPE a [<!ENTITY b 'c'>]><body>&b;</body>")],
            |error| matches!(error, LoginError::Stream(e) if e.to_string().contains("permits no")),
        ),
        (&[(502, "down")], bosh_error),
        (&[(200, "<html/>")], bosh_error),
        (&[(200, NOTHING)], bosh_error),
        (&[(200, STARTED), (404, "gone")], bosh_error),
        (&[(200, STARTED), (200, "<body")], bosh_error),
        (
            &[
                (200, STARTED),
                (200, "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate'/>"),
            ],
            |error| matches!(error, LoginError::Stream(XmppError::Closed)),
        ),
    ];
    for (answers, is) in cases {
        let mut client = bosh(answers, PATIENCE).await;
        let error = client.login("meet.jitsi", &Login::Anonymous).await.expect_err("no login");
        let short = |(status, text): &(u16, &str)| format!("{status} {text:.60}");
        let answers: Vec<String> = answers.iter().map(short).collect();
        assert!(is(&error), "{answers:?}: {error}");
        client.close().await;
    }
    // Answers everything at once with nothing: neither a login nor a busy loop.
    let mut client = bosh(&[(200, STARTED), (200, NOTHING)], IMPATIENCE).await;
    let error = client.login("meet.jitsi", &Login::Anonymous).await.expect_err("no login");
    assert!(matches!(error, LoginError::Stream(XmppError::TimedOut(_))), "{error:?}");
}

#[tokio::test]
async fn a_session_of_bosh_that_ends_is_told_to_the_reader() {
    let answers: &[_] = &[
        (200, STARTED),
        (200, SUCCEEDED),
        (
            200,
            "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' \
             condition='remote-stream-error' xmlns:stream='http://etherx.jabber.org/streams'>\
             <stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>\
             </body>",
        ),
    ];
    let mut client = bosh(answers, PATIENCE).await;
    let error = client.login("meet.jitsi", &Login::Anonymous).await.expect_err("no login");
    let LoginError::Stream(XmppError::Stream(condition)) = &error else { panic!("{error:?}") };
    assert_eq!(condition.condition, "conflict");
    assert!(matches!(client.receive().await, Err(XmppError::Closed)), "and it stays over");
}

/// A server that takes nothing: sending ends in time, and so does the farewell.
#[tokio::test]
async fn a_server_that_does_not_read_holds_nobody_up() {
    let address = listen(|stream: TcpStream| async move {
        let socket = accept_hdr_async(stream, agree).await;
        std::future::pending::<()>().await;
        drop(socket);
    })
    .await;
    let url = Url::parse(&format!("ws://{NAME}/xmpp-websocket")).expect("a URL");
    let net = net(address, IMPATIENCE);
    let mut client = net.xmpp_client(Carrier::WebSocket, &url).await.expect("a client");
    let large = Element::new("message", ns::CLIENT).text("x".repeat(1 << 20));
    let error = loop {
        if let Err(error) = client.send(&large).await {
            break error;
        }
    };
    assert!(matches!(error, XmppError::TimedOut(_)), "{error:?}");
    client.set_farewell(vec![large]);
    client.close().await;
}
