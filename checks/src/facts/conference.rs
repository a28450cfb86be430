//! A conference of two guests, held.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{Either, join, select};
use mxdoctor_model::{Evidence, Finding, Outcome};
use mxdoctor_probes::colibri::{Health, Rest};
use mxdoctor_probes::conference::{Conference, Guest, Options, Places, Step, hold};
use mxdoctor_probes::focus::room_name;
use mxdoctor_probes::xmpp::{Carrier, Client, Login, LoginError};
use url::Url;

use super::{Jitsi, JitsiXmpp, XmppPlaces};
use crate::{Cx, Entry, Fact, Unavailable, Verdict, jitsi};

/// A conference of two guests in a room of its own, as far as it came. Both have left and the
/// room is gone afterwards, if the deployment lets it go.
///
/// Owned by `jitsi.xmpp_login`; by `jitsi.bosh` or `jitsi.websocket` where XMPP is not reached.
#[derive(Debug, Clone)]
pub struct Call;

/// What both guests saw, and as whom they came.
#[derive(Debug)]
pub struct Held {
    /// What they saw.
    pub conference: Conference,
    /// From the first question for where XMPP is to the conference's own start.
    pub began: Duration,
    /// What the configuration says.
    pub places: Arc<XmppPlaces>,
    /// The domain that they logged in to.
    pub domain: String,
    /// As whom they came.
    pub visitor: Visitor,
    /// What the bridge says of itself, asked where the focus had none and it can be asked.
    pub health: Option<Health>,
}

/// As whom the guests came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visitor {
    /// As anybody.
    Guest,
    /// With a token of `jitsi.token`.
    Token,
    /// As the user of `jitsi.user`.
    Account,
}

impl Fact for Call {
    type Value = Held;
    /// The sum of the stages' own limits, with waiting for another run's conference to end.
    const TIMEOUT: Duration = Duration::from_secs(160);
    const OWNER: &'static str = "jitsi.xmpp_login";

    async fn observe(&self, cx: &Cx) -> Result<Held, Unavailable> {
        let asked = Instant::now();
        let room = room_name();
        let (places, opened) = find(cx, &room).await?;
        let given = &cx.target().jitsi_login;
        let (visitor, login) = match (&given.account, &given.token) {
            (Some((user, password)), _) => {
                let (user, password) = (user.clone(), password.clone());
                (Visitor::Account, Login::Password { user, password })
            }
            (None, Some(_)) => (Visitor::Token, Login::Anonymous),
            (None, None) => (Visitor::Guest, Login::Anonymous),
        };
        let own = match visitor {
            Visitor::Guest => &places.domain,
            Visitor::Token | Visitor::Account => &places.deployment,
        };
        let domain = given.domain.clone().unwrap_or_else(|| own.clone());
        let page = cx.fact(Jitsi).await?.base.clone();
        let whereabouts = Places {
            page,
            websocket: places.websocket.clone(),
            bosh: places.bosh.clone(),
            login_domain: domain.clone(),
            domain: places.deployment.clone(),
            muc: places.muc.clone(),
            focus: places.focus.clone(),
            login,
            token: given.token.clone(),
            room,
        };
        let options = Options { video: cx.target().jitsi_video, ..Options::default() };
        let conference = hold(cx.net(), whereabouts, opened, &options)
            .await
            .map_err(|unheld| Unavailable::by(Self::OWNER, Finding::error(unheld.to_string())))?;
        let began = asked.elapsed().saturating_sub(conference.elapsed);
        if !reached_xmpp(&conference.guests)
            && let Some(by) = xmpp_trouble(cx).await
        {
            return Err(by);
        }
        let health = match &cx.target().jvb_rest {
            Some(base) if conference.guests.iter().any(lacks_a_bridge) => {
                Rest::new(cx.net().clone(), base.clone()).health().await.ok()
            }
            _ => None,
        };
        Ok(Held { conference, began, places, domain, visitor, health })
    }
}

type Opened = [Option<Client>; 2];

/// Where XMPP is, with a connection for each guest. They are begun on the usual path while
/// `config.js` is under way, and dropped if it names another one.
async fn find(cx: &Cx, room: &str) -> Result<(Arc<XmppPlaces>, Opened), Unavailable> {
    let base = cx.fact(Jitsi).await?.base.clone();
    let usual = usual_place(&base);
    let connect = || async {
        let url = usual.clone().map(|url| with_room(cx, url, room))?;
        cx.net().xmpp_client(Carrier::WebSocket, &url).await.ok()
    };
    let early = Box::pin(join(connect(), connect()));
    let places = Box::pin(cx.fact(JitsiXmpp));
    let fits = |places: &XmppPlaces| places.websocket.is_some() && places.websocket == usual;
    Ok(match select(places, early).await {
        Either::Left((places, early)) => {
            let places = places?;
            let opened = if fits(&places) { early.await.into() } else { Opened::default() };
            (places, opened)
        }
        Either::Right((opened, places)) => {
            let places = places.await?;
            let opened = if fits(&places) { opened.into() } else { Opened::default() };
            (places, opened)
        }
    })
}

/// Where docker-jitsi-meet has its WebSocket.
fn usual_place(base: &Url) -> Option<Url> {
    let mut url = base.join("xmpp-websocket").ok()?;
    let scheme = if base.scheme() == "https" { "wss" } else { "ws" };
    url.set_scheme(scheme).ok()?;
    Some(url)
}

/// What proxies and modules look for in the address.
fn with_room(cx: &Cx, mut url: Url, room: &str) -> Url {
    url.query_pairs_mut().append_pair("room", room);
    if let Some(token) = &cx.target().jitsi_login.token {
        url.query_pairs_mut().append_pair("token", token);
    }
    url
}

/// Whether the focus told a guest that it has no bridge.
pub(crate) fn lacks_a_bridge(guest: &Guest) -> bool {
    guest.focus_presence.as_ref().is_some_and(|focus| !focus.bridge_available)
}

/// Whether any guest came as far as a stream that an XMPP server opened.
fn reached_xmpp(guests: &[Guest; 2]) -> bool {
    guests.iter().any(|guest| match &guest.login {
        None | Some(Err(LoginError::Stream(_))) => false,
        Some(Ok(_) | Err(_)) => true,
    })
}

/// What the checks of both ways to XMPP have to say.
async fn xmpp_trouble(cx: &Cx) -> Option<Unavailable> {
    let (bosh, websocket) = futures_util::join!(jitsi::bosh::run(cx), jitsi::websocket::run(cx));
    bad("jitsi.bosh", bosh).or_else(|| bad("jitsi.websocket", websocket))
}

fn bad(owner: &'static str, verdict: Verdict) -> Option<Unavailable> {
    match verdict {
        Err(by) => Some(by),
        Ok(findings) => findings.0.into_iter().find_map(|entry| match entry {
            Entry::Blocked { by, .. } => Some(by),
            Entry::Finding(finding) => matches!(finding.outcome, Outcome::Fail | Outcome::Error)
                .then(|| Unavailable::by(owner, finding)),
        }),
    }
}

impl Held {
    /// The guests, `A` first.
    pub fn guests(&self) -> &[Guest; 2] {
        &self.conference.guests
    }

    /// How long the slower guest took from one step to another, in milliseconds; none where one
    /// did not come there.
    pub fn took(&self, from: Option<Step>, to: Step) -> Option<f64> {
        let each = self.guests().iter().map(|guest| {
            let began = from.map_or(Some(Duration::ZERO), |from| guest.step(from))?;
            Some(guest.step(to)?.saturating_sub(began))
        });
        let slowest = each.collect::<Option<Vec<_>>>()?.into_iter().max()?;
        Some(slowest.as_secs_f64() * 1e3)
    }

    /// When each guest came to each step.
    pub fn timeline(&self) -> Vec<Evidence> {
        let line = |guest: &Guest| {
            let steps = guest
                .steps
                .iter()
                .map(|(step, at)| format!("{} {:.0} ms", step.as_str(), at.as_secs_f64() * 1e3));
            let steps: Vec<String> = steps.collect();
            let steps = if steps.is_empty() { "nowhere".to_owned() } else { steps.join(", ") };
            Evidence::note(format!("guest {}: {steps}", guest.name))
        };
        let room = Evidence::note(format!("room {}", self.conference.room));
        self.guests().iter().map(line).chain([room]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_place_is_that_of_the_deployments_own_host() {
        let place = |base: &str| usual_place(&Url::parse(base).expect("a URL"));
        let place = |base: &str| place(base).expect("a place").to_string();
        assert_eq!(place("https://meet.example.org/"), "wss://meet.example.org/xmpp-websocket");
        assert_eq!(place("http://web.svc:8000/"), "ws://web.svc:8000/xmpp-websocket");
    }
}
