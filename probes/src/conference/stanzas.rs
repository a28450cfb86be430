//! What a guest does with what arrives.

use std::time::Instant;

use super::attend::{Attendance, Stop};
use super::enter::INVITATIONS;
use super::observed::Step;
use crate::focus::{self, MucEvent};
use crate::jingle::{self, Incoming, Initiate, JingleError};
use crate::xmpp::{self, Element};

/// Id of the question for components.
pub(super) const COMPONENTS: &str = "mxdoctor-components";
/// Id of the question for TURN and STUN servers.
pub(super) const SERVICES: &str = "mxdoctor-services";
/// Start of the ids of conference requests.
pub(super) const FOCUS: &str = "mxdoctor-focus";
/// Start of the ids of acceptances.
pub(super) const ACCEPT: &str = "mxdoctor-accept";
/// Id of the end of the session.
pub(super) const TERMINATE: &str = "mxdoctor-terminate";
/// What the probe calls itself when it is asked.
const NAME: &str = "mxdoctor";
/// What stands for the probe where its abilities are told.
const NODE: &str = "urn:mxdoctor:probe";

impl Attendance<'_> {
    /// Takes a stanza in.
    pub(super) async fn take(&mut self, stanza: &Element) -> Result<(), Stop> {
        match stanza.name.as_str() {
            "presence" => self.take_presence(stanza),
            "iq" => self.take_iq(stanza).await?,
            _ => {}
        }
        Ok(())
    }

    /// What we can do, for our presence. Jicofo remembers it by its hash and spares later guests its
    /// question, and so a round trip; where it is missing it logs an error.
    pub(super) fn abilities(&self) -> Element {
        xmpp::caps(NODE, NAME, &focus::features(self.options.video))
    }

    fn take_presence(&mut self, presence: &Element) {
        match focus::muc_event(presence, &self.room(), &self.seen.endpoint) {
            Some(MucEvent::SelfJoined { codes, .. }) if self.seen.joined.is_none() => {
                self.seen.joined = Some(Ok(codes));
            }
            Some(MucEvent::Focus(focus)) => self.seen.focus_presence = Some(focus),
            Some(MucEvent::Occupant(occupant))
                if occupant.nick == self.shared.endpoint(1 - self.index) =>
            {
                self.seen.saw_other = true;
                self.reached(Step::Together);
            }
            Some(MucEvent::Error(error)) if self.seen.joined.is_none() => {
                self.seen.joined = Some(Err(error));
            }
            Some(MucEvent::Left(leaving)) if leaving.myself => {
                self.seen.left = true;
                if !self.leaving {
                    self.seen.expelled = Some(leaving);
                }
            }
            _ => {}
        }
    }

    async fn take_iq(&mut self, iq: &Element) -> Result<(), Stop> {
        if xmpp::is_request(iq) {
            return self.take_request(iq).await;
        }
        match iq.get_attr("id").unwrap_or_default() {
            COMPONENTS => self.seen.components = Some(xmpp::info(iq)),
            SERVICES => self.seen.services = Some(xmpp::services(iq)),
            id if id.starts_with(FOCUS) => self.seen.focus.push(focus::answer(iq)),
            id if id.starts_with(ACCEPT) => {
                let refused = xmpp::stanza_error(iq);
                if refused.is_none() {
                    self.reached(Step::Accepted);
                }
                self.seen.accepted = Some(refused.map_or(Ok(()), Err));
            }
            _ => {}
        }
        Ok(())
    }

    async fn take_request(&mut self, iq: &Element) -> Result<(), Stop> {
        if xmpp::is_info_request(iq) {
            let answer = xmpp::info_answer(iq, NAME, &focus::features(self.options.video));
            return Ok(self.send(&answer).await?);
        }
        let Some(incoming) = jingle::incoming(iq) else {
            return Ok(self.send(&xmpp::refusal(iq)).await?);
        };
        self.send(&xmpp::result(iq)).await?;
        if !jingle::is_from_focus(iq) {
            // Another client that wants to talk to us without the bridge.
            let id = self.id();
            if let Some(decline) = jingle::decline(&id, iq) {
                self.send(&decline).await?;
            }
            return Ok(());
        }
        match incoming {
            Ok(Incoming::Initiate(invitation)) => self.take_invitation(Ok(*invitation)).await?,
            Ok(Incoming::TransportInfo(transport)) => {
                for candidate in transport.candidates {
                    if let Some(way) = &mut self.way {
                        way.add_candidate(candidate);
                    }
                }
            }
            Ok(Incoming::Terminate { reason, text, .. }) => {
                self.seen.terminated = Some((reason, text));
                self.terminated_at = Some(Instant::now());
            }
            Ok(_) => {}
            // Of other requests a broken one changes nothing that was agreed.
            Err(error) if jingle::is_offer(iq) => self.take_invitation(Err(error)).await?,
            Err(_) => {}
        }
        Ok(())
    }

    async fn take_invitation(&mut self, offer: Result<Initiate, JingleError>) -> Result<(), Stop> {
        let known = |sid: &str| self.seen.invitations.iter().flatten().any(|old| old.sid == sid);
        let again = offer.as_ref().is_ok_and(|offer| known(&offer.sid));
        if again || self.seen.invitations.len() == INVITATIONS {
            return Ok(());
        }
        let usable = offer.is_ok();
        self.seen.invitations.push(offer);
        if usable {
            // The session before it, if there was one, is over.
            self.seen.terminated = None;
            self.follow().await?;
        }
        Ok(())
    }

    /// An id of a request that may be repeated.
    pub(super) fn id_for(&mut self, start: &str) -> String {
        format!("{start}-{}", self.id())
    }
}
