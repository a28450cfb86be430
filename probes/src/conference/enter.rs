//! The signalling of a guest: login, focus, room, invitation, acceptance, goodbye.

use std::time::{Duration, Instant};

use url::Url;

use super::attend::{Attendance, Stop};
use super::observed::Step;
use super::shared::Focus;
use super::stanzas::{ACCEPT, COMPONENTS, FOCUS, SERVICES, TERMINATE};
use crate::dtls::Side;
use crate::focus::{self, JoinError};
use crate::ice::Role;
use crate::jingle::{self, LocalSource, MediaKind};
use crate::transport::Transport;
use crate::xmpp::{self, Carrier, Client, Element};

/// First wait when the focus is not ready, and what it grows by, as lib-jitsi-meet has it.
const NOT_READY: (Duration, f64) = (Duration::from_secs(1), 1.5);

/// How often a room that may not be made yet is asked for again.
const REJOIN: usize = 3;

/// Invitations followed at most: an unstable bridge would make us follow for ever.
pub(super) const INVITATIONS: usize = 4;

impl Attendance<'_> {
    /// Connects and logs in, by WebSocket if that is to be had, else by BOSH.
    pub(super) async fn sign_in(&mut self, opened: Option<Client>) -> Result<(), Stop> {
        let (carrier, client) = self.connect_xmpp(opened).await?;
        self.seen.carrier = Some(carrier);
        self.reached(Step::Connected);
        // What needs no address of our own is asked along with it.
        let also = if self.index == 0 { self.first_questions() } else { Vec::new() };
        let (domain, login) = (&self.places.login_domain, &self.places.login);
        let answer = self.client.insert(client).login_and(domain, login, &also).await;
        let jid = answer.as_ref().ok().map(|logged_in| logged_in.jid.clone());
        self.seen.login = Some(answer);
        self.address = jid.ok_or(Stop::Stage)?;
        self.seen.endpoint = focus::endpoint_id(&self.address);
        self.shared.set_endpoint(self.index, &self.seen.endpoint);
        self.reached(Step::LoggedIn);
        Ok(())
    }

    async fn connect_xmpp(&mut self, opened: Option<Client>) -> Result<(Carrier, Client), Stop> {
        if let Some(client) = opened {
            return Ok((Carrier::WebSocket, client));
        }
        if let Some(url) = &self.places.websocket {
            match self.net.xmpp_client(Carrier::WebSocket, &self.with_room(url)).await {
                Ok(client) => return Ok((Carrier::WebSocket, client)),
                Err(error) if self.places.bosh.is_none() => return Err(error.into()),
                Err(error) => self.seen.no_websocket = Some(error),
            }
        }
        let Some(url) = &self.places.bosh else { return Err(Stop::Stage) };
        let client = self.net.xmpp_client(Carrier::Bosh, &self.with_room(url)).await?;
        Ok((Carrier::Bosh, client))
    }

    fn with_room(&self, url: &Url) -> Url {
        with_room(url, &self.places.room, self.places.token.as_deref())
    }

    /// Has the focus come, for `A`; waits for that, for `B`.
    pub(super) async fn find_focus(&mut self) -> Result<(), Stop> {
        let deadline = Instant::now() + self.options.limits.focus;
        if self.index == 1 {
            let decided = |me: &Self| me.shared.focus() != Focus::Asked || me.other().stuck;
            self.until(deadline, decided).await?;
            return if self.shared.focus() == Focus::Ready { Ok(()) } else { Err(Stop::Stage) };
        }
        let asked = self.ask_focus(deadline).await;
        let focus = if matches!(asked, Ok(true)) { Focus::Ready } else { Focus::None };
        self.shared.set_focus(focus);
        if asked? {
            return Ok(());
        }
        // What was asked along with it says something of its own.
        let told = |me: &Self| me.seen.components.is_some() && me.seen.services.is_some();
        self.until(Instant::now() + self.options.limits.leave, told).await?;
        Err(Stop::Stage)
    }

    /// Whether the focus is ready. What else is to be asked goes along.
    async fn ask_focus(&mut self, deadline: Instant) -> Result<bool, Stop> {
        let mut wait = NOT_READY.0;
        for asked in 0.. {
            if !self.until(deadline, |me| me.seen.focus.len() > asked).await? {
                self.seen.focus_silent.get_or_insert(self.options.limits.focus);
                return Ok(false);
            }
            match self.seen.focus.last() {
                Some(Ok(answer)) if answer.ready => {
                    self.reached(Step::Focus);
                    return Ok(true);
                }
                Some(Ok(_)) => {
                    let again = Instant::now() + wait;
                    wait = wait.mul_f64(NOT_READY.1);
                    self.until(again.min(deadline), |_| false).await?;
                    if Instant::now() >= deadline {
                        self.seen.focus_silent.get_or_insert(self.options.limits.focus);
                        return Ok(false);
                    }
                    let request = self.focus_request();
                    self.send(&request).await?;
                }
                _ => return Ok(false),
            }
        }
        Ok(false)
    }

    fn first_questions(&mut self) -> Vec<Element> {
        let domain = &self.places.domain;
        let components = xmpp::info_request(COMPONENTS, domain);
        let services = xmpp::services_request(SERVICES, domain, false);
        vec![self.focus_request(), components, services]
    }

    fn focus_request(&mut self) -> Element {
        let id = self.id_for(FOCUS);
        let known = self.seen.focus.iter().rev().find_map(|answer| answer.as_ref().ok());
        let request = focus::Request {
            focus: &self.places.focus,
            room: &self.room(),
            machine_uid: &self.machine,
            session_id: known.and_then(|answer| answer.session_id.as_deref()),
            token: self.places.token.as_deref(),
        };
        request.to_iq(&id)
    }

    /// Joins the room.
    pub(super) async fn join(&mut self) -> Result<(), Stop> {
        for _ in 0..REJOIN {
            self.seen.joined = None;
            let guest = focus::Guest {
                endpoint: &self.seen.endpoint,
                name: &format!("mxdoctor {}", self.seen.name),
                password: None,
                video: self.options.video,
            };
            let room = self.room();
            let presence = focus::join(&room, &guest).child(self.abilities());
            let goodbye = focus::leave(&room, &self.seen.endpoint);
            // From here on there is a room to leave, however this ends.
            self.set_farewell(vec![goodbye]);
            self.send(&presence).await?;
            let deadline = Instant::now() + self.options.limits.join;
            if !self.until(deadline, |me| me.seen.joined.is_some()).await? {
                self.seen.join_silent = Some(self.options.limits.join);
                return Err(Stop::Stage);
            }
            match &self.seen.joined {
                Some(Ok(_)) => {
                    self.reached(Step::Joined);
                    self.shared.update(self.index, |progress| progress.joined = true);
                    return Ok(());
                }
                Some(Err(JoinError::CreationRestricted(_))) if self.index == 0 => {
                    // The focus went away again before we came: have it come anew.
                    self.ask_again().await?;
                }
                Some(Err(JoinError::CreationRestricted(_))) => {
                    self.until(Instant::now() + NOT_READY.0, |me| me.other().stuck).await?;
                }
                _ => break,
            }
        }
        self.set_farewell(Vec::new());
        Err(Stop::Stage)
    }

    async fn ask_again(&mut self) -> Result<(), Stop> {
        let answers = self.seen.focus.len();
        let request = self.focus_request();
        self.send(&request).await?;
        let deadline = Instant::now() + self.options.limits.focus;
        self.until(deadline, |me| me.seen.focus.len() > answers).await?;
        Ok(())
    }

    /// Waits for the focus' invitation, and takes its transport.
    pub(super) async fn be_invited(&mut self) -> Result<(), Stop> {
        let limits = self.options.limits;
        let deadline = Instant::now() + limits.join + limits.focus;
        // One guest alone is never invited.
        let met = self.until(deadline, |me| me.other().joined || me.other().stuck).await?;
        if !met || !self.other().joined {
            return Err(Stop::Stage);
        }
        let deadline = Instant::now() + limits.invitation;
        let over = |me: &Self| !me.seen.invitations.is_empty() || me.is_without_bridge();
        self.until(deadline, over).await?;
        if self.seen.invitations.is_empty() && self.is_without_bridge() {
            // A bridge may come back at once, and the focus then invites by itself.
            let deadline = deadline.min(Instant::now() + limits.no_bridge);
            self.until(deadline, |me| !me.seen.invitations.is_empty()).await?;
        }
        if self.seen.invitations.is_empty() {
            self.seen.invitation_silent = Some(limits.invitation);
        }
        if self.seen.invitation().is_some() { Ok(()) } else { Err(Stop::Stage) }
    }

    fn is_without_bridge(&self) -> bool {
        self.seen.focus_presence.as_ref().is_some_and(|focus| !focus.bridge_available)
    }

    /// Follows the newest invitation: checks of its candidates begin at once, before it is
    /// accepted.
    pub(super) async fn follow(&mut self) -> Result<(), Stop> {
        let Some(Ok(invitation)) = self.seen.invitations.last() else { return Ok(()) };
        let overrides = self.net.config().overrides.clone();
        // A new session has its own transport: ports of an old one belong to that one still.
        let mut way = Transport::open(Role::Controlled, overrides)
            .map_err(|error| Stop::Ours(format!("no UDP socket can be opened here: {error}")))?;
        way.set_remote(invitation.credentials.clone(), &invitation.transport.candidates);
        self.way = Some(way);
        self.secured = None;
        self.first_check = Some(Instant::now());
        self.begin_socket();
        self.reached(Step::Invited);
        self.send_acceptance().await
    }

    async fn send_acceptance(&mut self) -> Result<(), Stop> {
        let id = self.id_for(ACCEPT);
        let (Some(invitation), Some(way)) = (self.seen.invitation(), &self.way) else {
            return Ok(());
        };
        let mut sources = vec![LocalSource { kind: MediaKind::Audio, ssrc: self.ssrc() }];
        if self.options.video && invitation.video.is_some() {
            sources.push(LocalSource { kind: MediaKind::Video, ssrc: self.picture_ssrc() });
        }
        let ours = jingle::Local {
            jid: self.address.clone(),
            endpoint: self.seen.endpoint.clone(),
            credentials: way.local().clone(),
            fingerprint: self.identity.fingerprint.clone(),
            side: Side::Client,
            candidates: Vec::new(),
            sources,
        };
        let accept = jingle::accept(&id, invitation, &ours);
        let goodbyes = vec![
            jingle::terminate(TERMINATE, invitation, jingle::Reason::Success),
            focus::leave(&self.room(), &self.seen.endpoint),
        ];
        self.set_farewell(goodbyes);
        self.seen.accepted = None;
        Ok(self.send(&accept).await?)
    }

    /// Waits for the focus' answer to our acceptance, unless the media are there before it.
    pub(super) async fn accept(&mut self) -> Result<(), Stop> {
        let deadline = Instant::now() + self.options.limits.accept;
        let over =
            |me: &Self| me.seen.accepted.is_some() || me.secured.is_some() || me.is_hopeless();
        self.until(deadline, over).await?;
        match self.seen.accepted {
            Some(Err(_)) => {
                // Whether UDP is open shows without the session too.
                let begun = self.first_check.unwrap_or_else(Instant::now);
                let answered = |me: &Self| me.seen.step(Step::UdpAnswered).is_some();
                self.until(begun + self.options.limits.udp, answered).await?;
                Err(Stop::Stage)
            }
            _ => Ok(()),
        }
    }

    /// Leaves the room; the stream stays open.
    pub(super) async fn leave(&mut self) {
        self.leaving = true;
        let Some(Ok(_)) = self.seen.joined else { return };
        if let Err(Stop::Stream(error)) = self.say_goodbye().await {
            self.seen.broken.get_or_insert(error);
        }
        if self.seen.left {
            self.set_farewell(Vec::new());
            self.reached(Step::Left);
        }
    }

    async fn say_goodbye(&mut self) -> Result<(), Stop> {
        let terminate = self
            .seen
            .invitation()
            .map(|invitation| jingle::terminate(TERMINATE, invitation, jingle::Reason::Success));
        if let Some(terminate) = terminate {
            self.send(&terminate).await?;
        }
        let leave = focus::leave(&self.room(), &self.seen.endpoint);
        self.send(&leave).await?;
        let deadline = Instant::now() + self.options.limits.leave;
        self.until(deadline, |me| me.seen.left).await?;
        Ok(())
    }

    fn set_farewell(&mut self, stanzas: Vec<Element>) {
        if let Some(client) = &mut self.client {
            client.set_farewell(stanzas);
        }
    }
}

/// The address of the XMPP service with what proxies and modules look for.
pub(super) fn with_room(url: &Url, room: &str, token: Option<&str>) -> Url {
    let mut url = url.clone();
    url.query_pairs_mut().append_pair("room", room);
    if let Some(token) = token {
        url.query_pairs_mut().append_pair("token", token);
    }
    url
}
