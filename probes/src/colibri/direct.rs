//! The direct test of a bridge: a conference by REST, then STUN, ICE and DTLS over UDP.

use std::time::{Duration, Instant};

use url::Url;

use super::sound::{self, Sound};
use super::{Conference, Health, Offer, Refusal, Rest};
use crate::Net;
use crate::dtls::{DtlsError, Identity, Secured, Side};
use crate::http::HttpError;
use crate::ice::{Answer, Pair, Role};

use crate::transport::Transport;
use crate::way::{IceStage, Way, closed, is_settled};

/// How long each stage may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Until anything is answered over UDP, from the first check on.
    pub udp: Duration,
    /// Until the nomination, from the first check on.
    pub ice: Duration,
    /// Until the end of the handshake, from its first packet on.
    pub dtls: Duration,
    /// Until each of two endpoints heard the other, from the first packet on; nothing: no sound is
    /// tried.
    pub sound: Duration,
    /// How long candidates that are still silent are waited for when another one has answered.
    pub spare: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            udp: Duration::from_secs(3),
            ice: Duration::from_secs(8),
            dtls: Duration::from_secs(5),
            sound: Duration::from_millis(1500),
            spare: Duration::from_millis(900),
        }
    }
}

/// Why nothing could be measured: trouble on our own side.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unmeasured(pub String);

/// What was seen of a bridge.
#[derive(Debug)]
pub struct Direct {
    /// `/about/health`.
    pub health: Result<Health, HttpError>,
    /// `/about/version`; none where it does not say.
    pub version: Option<String>,
    /// The bridge's offer and what came of it.
    pub session: Result<Session, Refusal>,
}

/// What came of an offer.
#[derive(Debug)]
pub struct Session {
    /// The bridge's offer.
    pub offer: Offer,
    /// What the bridge said to our answer.
    pub answered: Result<(), Refusal>,
    /// How far the endpoint's packets came.
    pub way: Way,
    /// What two endpoints heard of each other through the bridge, or why that could not be
    /// tried; none where the first one came to no keys.
    pub sound: Option<Result<Sound, String>>,
    /// How expiring the conference went.
    pub expired: Result<(), Refusal>,
}

/// Tests the bridge whose private REST interface is at `base`. Leaves no conference behind, also
/// when it is cancelled.
///
/// # Errors
/// [`Unmeasured`] for trouble on our own side.
pub async fn test_bridge(net: &Net, base: Url, limits: Limits) -> Result<Direct, Unmeasured> {
    let rest = Rest::new(net.clone(), base);
    let (health, version, (conference, offer)) =
        futures_util::join!(rest.health(), rest.version(), rest.create());
    let version = version.ok().flatten();
    let session = match offer {
        Ok(offer) => Ok(converse(net, conference, offer, limits).await?),
        Err(refusal) => {
            match refusal {
                Refusal::Off => conference.forget(),
                _ => drop(conference.expire().await),
            }
            Err(refusal)
        }
    };
    Ok(Direct { health, version, session })
}

async fn converse(
    net: &Net,
    conference: Conference,
    offer: Offer,
    limits: Limits,
) -> Result<Session, Unmeasured> {
    let identity = Identity::new().map_err(Unmeasured)?;
    let overrides = net.config().overrides.clone();
    let mut transport = Transport::open(Role::Controlled, overrides)
        .map_err(|error| Unmeasured(format!("no UDP socket can be opened here: {error}")))?;
    let started = Instant::now();
    transport.set_remote(offer.credentials.clone(), &offer.candidates);
    let local = transport.local().clone();
    let us = (conference.endpoint(), sound::SSRCS.0);
    let answer = conference.answer(us, Side::Client, &local, &identity.fingerprint);
    let (answered, ()) = futures_util::join!(answer, nominate(&mut transport, started, limits));
    let ice = IceStage {
        elapsed: started.elapsed(),
        selected: transport.agent().selected().cloned(),
        refused: transport.agent().refused,
    };
    let dtls = match ice.selected {
        Some(_) => Some(shake_hands(&mut transport, &identity, &offer, limits).await?),
        None => None,
    };
    let sound = match &dtls {
        Some((Ok(_), _)) if !limits.sound.is_zero() => {
            Some(sound::hear_each_other(net, &conference, &mut transport, limits).await)
        }
        _ => None,
    };
    transport.drive(started + limits.spare, |way| way.agent().pairs().iter().all(is_settled)).await;
    transport.close().await;
    let silent: Vec<Pair> =
        transport.agent().pairs().iter().filter(|pair| !is_settled(pair)).cloned().collect();
    let (expired, closed) = futures_util::join!(
        conference.expire(),
        closed(&silent, &offer.credentials, limits.spare / 2)
    );
    let way = Way {
        pairs: transport.agent().pairs().to_vec(),
        closed,
        dropped: transport.agent().dropped,
        ice,
        dtls,
        media: transport.media().cloned(),
        traffic: transport.traffic().clone(),
    };
    Ok(Session { offer, answered, way, sound, expired })
}

/// Drives ICE to the nomination; gives up early where nothing at all is answered, and where
/// nothing can be sent.
pub(super) async fn nominate(way: &mut Transport, started: Instant, limits: Limits) {
    let hopeless =
        |pair: &Pair| pair.unsendable.is_some() || pair.is_open() && is_refused_for_good(pair);
    let over = |way: &Transport| {
        let agent = way.agent();
        agent.selected().is_some() || agent.pairs().iter().all(hopeless)
    };
    let first = started + limits.udp.min(limits.ice);
    let open = |way: &Transport| way.agent().pairs().iter().any(Pair::is_open);
    if !way.drive(first, over).await && open(way) {
        way.drive(started + limits.ice, over).await;
    }
}

pub(super) async fn shake_hands(
    way: &mut Transport,
    identity: &Identity,
    offer: &Offer,
    limits: Limits,
) -> Result<(Result<Secured, DtlsError>, bool), Unmeasured> {
    let begun = way.begin_dtls(Side::Client, identity, offer.fingerprints.clone());
    if let Err(why) = begun {
        return Ok((Err(DtlsError::Refused(why)), false));
    }
    let over = |way: &Transport| way.dtls().is_some_and(|dtls| dtls.outcome().is_some());
    way.drive(Instant::now() + limits.dtls, over).await;
    let dtls = way.dtls().ok_or_else(|| Unmeasured("the association is gone".into()))?;
    let outcome = dtls.outcome().cloned().unwrap_or(Err(DtlsError::GaveUp(dtls.sent)));
    Ok((outcome, dtls.hello_came()))
}

/// Error 401 again and again: another password will not come.
fn is_refused_for_good(pair: &Pair) -> bool {
    !pair.valid && pair.answered >= 3 && matches!(pair.last, Some(Answer::Error(401, _)))
}
