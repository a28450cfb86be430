//! A conference from beginning to end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::attend::{Attendance, Stagehand};
use super::lease::{Lease, LeaseError};
use super::observed::{Conference, Gone, Guest};
use super::places::{Options, Places};
use super::shared::Shared;
use crate::Net;
use crate::dtls::Identity;
use crate::stun;
use crate::xmpp::{self, Client};

/// How often the room is asked for after both have left.
const LOOK: Duration = Duration::from_millis(150);

/// Why no conference was held: trouble on our own side.
#[derive(Debug, thiserror::Error)]
pub enum Unheld {
    /// Another run is holding one.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// No certificate can be made here.
    #[error("no certificate for DTLS can be made here: {0}")]
    Identity(String),
}

/// Holds a conference of two guests, as far as it goes, and leaves. Cut short it leaves in the
/// background. `opened` are connections made beforehand, one a guest, by way of `websocket`.
///
/// # Errors
/// [`Unheld`] for trouble on our own side; everything else is observed.
pub async fn hold(
    net: &Net,
    places: Places,
    opened: [Option<Client>; 2],
    options: &Options,
) -> Result<Conference, Unheld> {
    let (folder, patience) = &options.lease;
    let _lease = Lease::take(folder, &deployment(net, &places), *patience).await?;
    let identity = Identity::new().map_err(Unheld::Identity)?;
    let started = Instant::now();
    let stage = Stagehand {
        net,
        places: &places,
        options,
        shared: Arc::new(Shared::new()),
        started,
        identity: &identity,
        sources: sources(),
    };
    let [first, second] = opened;
    let ((a, client_a), (b, client_b)) = futures_util::join!(
        Attendance::new(0, &stage).attend(first),
        Attendance::new(1, &stage).attend(second),
    );
    let room = format!("{}@{}", places.room, places.muc);
    let mut clients = [client_a, client_b];
    let gone = look_for(&mut clients, &room, [&a, &b], options.limits.gone).await;
    futures_util::future::join_all(clients.into_iter().flatten().map(Client::close)).await;
    Ok(Conference { room, guests: [a, b], gone, elapsed: started.elapsed() })
}

/// What the lease is for: the service that is really connected to.
fn deployment(net: &Net, places: &Places) -> String {
    let url = places.websocket.as_ref().or(places.bosh.as_ref());
    let host = url.and_then(|url| url.host_str()).unwrap_or_default().to_owned();
    let port = url.and_then(|url| url.port_or_known_default()).unwrap_or_default();
    let routes = net.config().overrides.names.get(&(host.clone(), port));
    format!("{host}:{port}{routes:?}")
}

/// Asks for the room until it is gone.
async fn look_for(
    clients: &mut [Option<Client>; 2],
    room: &str,
    guests: [&Guest; 2],
    limit: Duration,
) -> Option<Gone> {
    let left = |guest: &Guest| matches!(guest.joined, Some(Ok(_)));
    if !guests.iter().any(|guest| left(guest)) {
        return None;
    }
    let intact = |index: &usize| guests[*index].broken.is_none() && left(guests[*index]);
    let client = (0..2).find(intact).and_then(|index| clients[index].as_mut());
    let Some(client) = client else {
        return Some(Gone::Unknown("both streams are broken".into()));
    };
    let started = Instant::now();
    let mut count = 0;
    while started.elapsed() < limit {
        count += 1;
        let id = format!("mxdoctor-room-{count}");
        match ask_room(client, room, &id, limit).await {
            Ok(true) => return Some(Gone::After(started.elapsed())),
            Ok(false) => tokio::time::sleep(LOOK).await,
            Err(error) => return Some(Gone::Unknown(error)),
        }
    }
    Some(Gone::Still(limit))
}

/// Whether there is no such room.
async fn ask_room(
    client: &mut Client,
    room: &str,
    id: &str,
    limit: Duration,
) -> Result<bool, String> {
    let answer = client.ask(&xmpp::info_request(id, room), limit).await;
    let answer = answer.map_err(|error| error.to_string())?;
    let gone = |error: xmpp::StanzaError| {
        matches!(&*error.condition, "item-not-found" | "gone" | "recipient-unavailable")
    };
    Ok(xmpp::stanza_error(&answer).is_some_and(gone))
}

/// Synchronisation sources of the guests' sound: random, different, and no neighbours, since the
/// pictures' are one more or less.
fn sources() -> [u32; 2] {
    let random = stun::transaction();
    let first = u32::from_be_bytes([random[0], random[1], random[2], random[3]]) | 0x100;
    [first, first ^ 0x1000]
}
