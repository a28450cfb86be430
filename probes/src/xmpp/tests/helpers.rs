//! Guests of a real Prosody.

use std::time::Duration;

use crate::testing::Prosody;
use crate::xmpp::{Carrier, Client, Element, LoggedIn, Login};

pub(super) const PATIENCE: Duration = Duration::from_secs(30);

pub(super) const BOTH: [(Carrier, &str); 2] =
    [(Carrier::WebSocket, "wss"), (Carrier::Bosh, "https")];

pub(super) async fn connect(prosody: &Prosody, carrier: Carrier, scheme: &str) -> Client {
    prosody.net.xmpp_client(carrier, &Prosody::url(scheme)).await.expect("a client")
}

pub(super) async fn guest(prosody: &Prosody, carrier: Carrier, scheme: &str) -> (Client, LoggedIn) {
    let mut client = connect(prosody, carrier, scheme).await;
    let login = client.login("meet.jitsi", &Login::Anonymous).await.expect("a login");
    (client, login)
}

pub(super) async fn next(client: &mut Client) -> Element {
    let stanza = tokio::time::timeout(PATIENCE, client.receive()).await;
    stanza.expect("in time").expect("a stanza")
}
