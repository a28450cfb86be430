//! Sound through the bridge: a second endpoint joins the conference of a direct test, and each
//! hears the other.

use std::time::Instant;

use super::direct::{nominate, shake_hands};
use super::rest::OPUS;
use super::{Conference, Limits};
use crate::Net;
use crate::dtls::{Identity, Side};
use crate::ice::Role;
use crate::media::{Media, MediaPlan};
use crate::stun;
use crate::transport::Transport;

/// Streams of the first and the second endpoint. The conference is ours alone.
pub(super) const SSRCS: (u32, u32) = (0x6D78_0001, 0x6D78_0002);

/// Packets that each sends: half a second.
const PACKETS: u32 = 25;

/// What two endpoints of one conference sent, and heard of each other.
#[derive(Debug, Clone)]
pub struct Sound {
    /// The first endpoint.
    pub first: Media,
    /// The second one.
    pub second: Media,
}

/// Lets a second endpoint join, and both speak.
///
/// The text of an error says what kept the second one from it.
pub(super) async fn hear_each_other(
    net: &Net,
    conference: &Conference,
    first: &mut Transport,
    limits: Limits,
) -> Result<Sound, String> {
    let mut second = join(net, conference, first, limits).await?;
    let run: [u8; 8] = unique();
    let plan = |from: [u8; 8], ssrc: u32, peer: u32| MediaPlan {
        run,
        from,
        ssrc,
        payload_type: OPUS,
        level_extension: None,
        peer,
        packets: PACKETS,
        video: None,
    };
    first.begin_media(plan(*b"first   ", SSRCS.0, SSRCS.1))?;
    second.begin_media(plan(*b"second  ", SSRCS.1, SSRCS.0))?;
    let until = Instant::now() + limits.sound;
    let enough = |way: &Transport| {
        way.media().is_some_and(|media| {
            media.audio.sent == PACKETS && media.audio.heard.received == PACKETS
        })
    };
    futures_util::join!(first.drive(until, enough), second.drive(until, enough));
    let heard = |way: &Transport| way.media().cloned().ok_or("media ended");
    let sound = Sound { first: heard(first)?, second: heard(&second)? };
    second.close().await;
    Ok(sound)
}

/// The second endpoint, up to the keys; the first one goes on meanwhile.
async fn join(
    net: &Net,
    conference: &Conference,
    first: &mut Transport,
    limits: Limits,
) -> Result<Transport, String> {
    let begun = Instant::now();
    let until = begun + limits.ice + limits.dtls + limits.udp;
    let joins = async {
        let unique: [u8; 8] = unique();
        let id: String = unique[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        let offer = conference.add(&id).await.map_err(|refusal| refusal.to_string())?;
        let identity = Identity::new()?;
        let overrides = net.config().overrides.clone();
        let mut way = Transport::open(Role::Controlled, overrides).map_err(|e| e.to_string())?;
        way.set_remote(offer.credentials.clone(), &offer.candidates);
        let local = way.local().clone();
        let us = (id.as_str(), SSRCS.1);
        let answer = conference.answer(us, Side::Client, &local, &identity.fingerprint);
        let started = Instant::now();
        let (answered, ()) = futures_util::join!(answer, nominate(&mut way, started, limits));
        answered.map_err(|refusal| refusal.to_string())?;
        if way.agent().selected().is_none() {
            return Err("the second endpoint came to no pair".to_owned());
        }
        let secured = shake_hands(&mut way, &identity, &offer, limits).await;
        secured.map_err(|ours| ours.to_string())?.0.map_err(|error| error.to_string())?;
        Ok(way)
    };
    tokio::select! {
        joined = joins => joined,
        _ = first.drive(until, |_| false) => Err("the second endpoint came to no end".into()),
    }
}

fn unique() -> [u8; 8] {
    let mut unique = [0; 8];
    unique.copy_from_slice(&stun::transaction()[..8]);
    unique
}
