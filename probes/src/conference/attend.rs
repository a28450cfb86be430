//! One guest, from its connection to its goodbye.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::BoxFuture;
use tokio::sync::watch;

use super::observed::{Guest, Step, Talk};
use super::places::{Options, Places};
use super::shared::{Progress, Shared};
use crate::Net;
use crate::dtls::Identity;
use crate::media::Media;
use crate::transport::Transport;
use crate::xmpp::{Client, Element, XmppError};

/// A guest under way.
pub(super) struct Attendance<'a> {
    pub(super) index: usize,
    pub(super) net: &'a Net,
    pub(super) places: &'a Places,
    pub(super) options: &'a Options,
    pub(super) shared: Arc<Shared>,
    pub(super) started: Instant,
    pub(super) client: Option<Client>,
    pub(super) address: String,
    /// What the focus knows this probe by.
    pub(super) machine: String,
    pub(super) identity: &'a Identity,
    /// Synchronisation sources of both guests' sound; their pictures' are one more.
    pub(super) sources: [u32; 2],
    pub(super) way: Option<Transport>,
    pub(super) first_check: Option<Instant>,
    pub(super) secured: Option<Instant>,
    pub(super) socket: Option<BoxFuture<'static, Talk>>,
    pub(super) terminated_at: Option<Instant>,
    pub(super) leaving: bool,
    pub(super) seen: Guest,
    watch: watch::Receiver<u64>,
    last_id: u32,
}

/// Why a guest goes no further; what it saw says more.
#[derive(Debug)]
pub(super) enum Stop {
    /// A stage did not come to its end.
    Stage,
    /// The stream is broken.
    Stream(XmppError),
    /// Trouble on our own side.
    Ours(String),
}

impl From<XmppError> for Stop {
    fn from(error: XmppError) -> Self {
        Self::Stream(error)
    }
}

/// What may happen next.
enum Event {
    Stanza(Result<Element, XmppError>),
    Socket(Talk),
    /// The way over UDP moved on, the other guest did, or nothing happened.
    Other,
}

impl<'a> Attendance<'a> {
    /// A guest that begins.
    pub(super) fn new(index: usize, stage: &Stagehand<'a>) -> Self {
        let name = ["A", "B"][index];
        Self {
            index,
            net: stage.net,
            places: stage.places,
            options: stage.options,
            shared: Arc::clone(&stage.shared),
            started: stage.started,
            client: None,
            address: String::new(),
            machine: crate::focus::machine_uid(),
            identity: stage.identity,
            sources: stage.sources,
            way: None,
            first_check: None,
            secured: None,
            socket: None,
            terminated_at: None,
            leaving: false,
            seen: Guest::new(name),
            watch: stage.shared.watch(),
            last_id: 0,
        }
    }

    /// Holds the conference as far as it goes, and leaves.
    pub(super) async fn attend(mut self, opened: Option<Client>) -> (Guest, Option<Client>) {
        match self.stages(opened).await {
            Ok(()) | Err(Stop::Stage) => {}
            Err(Stop::Stream(error)) => self.seen.broken = Some(error),
            Err(Stop::Ours(trouble)) => self.seen.ours = Some(trouble),
        }
        self.shared.update(self.index, |progress| {
            progress.stuck = true;
            progress.told = true;
        });
        self.leave().await;
        self.note_way().await;
        (self.seen, self.client)
    }

    async fn stages(&mut self, opened: Option<Client>) -> Result<(), Stop> {
        self.sign_in(opened).await?;
        self.find_focus().await?;
        self.join().await?;
        self.be_invited().await?;
        self.accept().await?;
        self.connect().await?;
        self.talk().await
    }

    /// Goes on with everything that is under way until `done` or the deadline; whether it is done.
    pub(super) async fn until(
        &mut self,
        deadline: Instant,
        done: impl Fn(&Self) -> bool,
    ) -> Result<bool, Stop> {
        loop {
            if done(self) {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
            match self.next(deadline).await {
                Event::Stanza(stanza) => {
                    let stanza = stanza?;
                    self.take(&stanza).await?;
                }
                Event::Socket(talk) => {
                    self.socket = None;
                    self.seen.bridge_socket = Some(talk);
                }
                Event::Other => {}
            }
            self.advance();
        }
    }

    async fn next(&mut self, deadline: Instant) -> Event {
        let before = self.way.as_ref().map(milestones);
        let stanza = async {
            match &mut self.client {
                Some(client) => client.receive().await,
                None => std::future::pending().await,
            }
        };
        let way = async {
            match &mut self.way {
                Some(way) => {
                    way.drive(deadline, |way| Some(milestones(way)) != before).await;
                }
                None => tokio::time::sleep_until(deadline.into()).await,
            }
        };
        let socket = async {
            match &mut self.socket {
                Some(socket) => socket.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            stanza = stanza => Event::Stanza(stanza),
            talk = socket => Event::Socket(talk),
            // The sender lives as long as we do.
            _ = self.watch.changed() => Event::Other,
            () = way => Event::Other,
        }
    }

    /// An id for the next request.
    pub(super) fn id(&mut self) -> String {
        self.last_id += 1;
        format!("mxdoctor-{}-{}", self.seen.name, self.last_id)
    }

    /// Notes when a step was reached for the first time.
    pub(super) fn reached(&mut self, step: Step) {
        if self.seen.step(step).is_none() {
            self.seen.steps.push((step, self.started.elapsed()));
        }
    }

    /// The room's address.
    pub(super) fn room(&self) -> String {
        format!("{}@{}", self.places.room, self.places.muc)
    }

    /// Sends a stanza.
    pub(super) async fn send(&mut self, stanza: &Element) -> Result<(), XmppError> {
        self.client.as_mut().ok_or(XmppError::Closed)?.send(stanza).await
    }

    /// Synchronisation source of our sound.
    pub(super) fn ssrc(&self) -> u32 {
        self.sources[self.index]
    }

    /// Synchronisation source of our picture.
    pub(super) fn picture_ssrc(&self) -> u32 {
        self.ssrc() ^ 1
    }

    /// What the other guest has come to.
    pub(super) fn other(&self) -> Progress {
        self.shared.guest(1 - self.index)
    }
}

/// What both guests of a conference have in common.
pub(super) struct Stagehand<'a> {
    pub(super) net: &'a Net,
    pub(super) places: &'a Places,
    pub(super) options: &'a Options,
    pub(super) shared: Arc<Shared>,
    pub(super) started: Instant,
    pub(super) identity: &'a Identity,
    pub(super) sources: [u32; 2],
}

/// Numbers from the first packet heard to the last: what could have been heard.
pub(super) fn span(media: &Media) -> u32 {
    media.audio.heard.numbers.map_or(0, |(first, last)| last - first + 1)
}

/// What of a way over UDP is worth waking up for.
#[derive(PartialEq, Eq)]
struct Milestones {
    answered: bool,
    valid: bool,
    nominated: bool,
    secured: bool,
    heard: u32,
    channel: (bool, usize),
}

fn milestones(way: &Transport) -> Milestones {
    let pairs = way.agent().pairs();
    // Hearing wakes the others ten times a second, not for each packet.
    let heard = way.media().map_or(0, span);
    let channel =
        way.channel().map_or((false, 0), |it| (it.opened_at.is_some(), it.received().count()));
    Milestones {
        answered: pairs.iter().any(|pair| pair.answered > 0),
        valid: pairs.iter().any(|pair| pair.valid),
        nominated: way.agent().selected().is_some(),
        secured: way.dtls().is_some_and(|dtls| dtls.outcome().is_some()),
        heard: heard.min(1) + heard / 5,
        channel,
    }
}
