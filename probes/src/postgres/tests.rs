use tokio::net::TcpListener;

use super::*;
use crate::NetConfig;

/// What `Net::postgres` makes of a server that answers the first bytes so and then closes.
async fn against(answer: &'static [u8], tls: PgTls) -> PgError {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut asked = [0; 8];
        stream.read_exact(&mut asked).await.expect("a request");
        stream.write_all(answer).await.expect("an answer");
        stream.shutdown().await.expect("a goodbye");
        // Waits for the other side, so that no reset cuts the answer short.
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    match Net::new(NetConfig::default()).postgres(&target(port, tls)).await {
        Ok(_) => panic!("no such server lets us in"),
        Err(error) => error,
    }
}

fn target(port: u16, tls: PgTls) -> PgTarget {
    PgTarget {
        host: "127.0.0.1".into(),
        port,
        user: "synapse".into(),
        password: "secret".into(),
        name: "synapse".into(),
        tls,
    }
}

#[tokio::test]
async fn a_server_without_tls_is_told() {
    assert!(matches!(against(b"N", PgTls::Require).await, PgError::TlsRefused));
    assert!(matches!(against(b"N", PgTls::Prefer).await, PgError::Closed { .. }));
}

#[tokio::test]
async fn other_servers_are_told() {
    assert!(matches!(against(b"", PgTls::Require).await, PgError::Closed { .. }));
    assert!(matches!(against(b"", PgTls::Disable).await, PgError::Closed { .. }));
    let http = b"HTTP/1.1 400 Bad Request\r\n\r\n";
    assert!(matches!(against(http, PgTls::Require).await, PgError::Protocol(_)));
    let other = against(http, PgTls::Disable).await;
    assert!(matches!(other, PgError::Protocol(_) | PgError::Closed { .. }), "{other:?}");
    assert!(matches!(against(b"S", PgTls::Require).await, PgError::Handshake(_)));
}

#[tokio::test]
async fn a_refusal_keeps_its_code() {
    let error = b"E\x00\x00\x00\x2eSFATAL\0VFATAL\0C57P03\0Mthe database is st\0\0";
    let refused = against(error, PgTls::Disable).await;
    assert_eq!(refused.code(), Some("57P03"), "{refused:?}");
}

#[tokio::test]
async fn a_closed_port_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let error = Net::new(NetConfig::default()).postgres(&target(port, PgTls::Disable)).await;
    assert!(matches!(error.err(), Some(PgError::Connect { error: ConnectError::Refused, .. })));
}

#[test]
fn sslmodes_are_those_of_libpq() {
    assert_eq!("prefer".parse(), Ok(PgTls::Prefer));
    assert_eq!("verify-full".parse(), Ok(PgTls::VerifyFull));
    assert!("on".parse::<PgTls>().is_err());
}

#[test]
fn passwords_are_not_printed() {
    assert!(!format!("{:?}", target(1, PgTls::Disable)).contains("secret"));
}
