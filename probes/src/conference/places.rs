//! Where a conference is held, as whom, and how long each stage may take.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::xmpp::Login;

/// Where a conference is held, and as whom.
pub struct Places {
    /// The web page of the deployment, which requests say that they come from.
    pub page: Url,
    /// The XMPP WebSocket, where the deployment names one.
    pub websocket: Option<Url>,
    /// BOSH, where the deployment names it; taken where there is no WebSocket or it does not open.
    pub bosh: Option<Url>,
    /// The domain to log in to: `hosts.anonymousdomain`, else `hosts.domain`, or that of the user.
    pub login_domain: String,
    /// The deployment's domain, `hosts.domain`: components and services are its own.
    pub domain: String,
    /// The domain of rooms, `hosts.muc`.
    pub muc: String,
    /// The focus' address, `hosts.focus` or `focus.` before the domain.
    pub focus: String,
    /// As whom.
    pub login: Login,
    /// A token (JWT) for deployments that ask for one.
    pub token: Option<String>,
    /// Local part of the room's address. Random and long: a room that exists is never touched.
    pub room: String,
}

/// How a conference is held.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long each stage may take.
    pub limits: Limits,
    /// Packets of sound that each guest must have had time to hear, 50 a second.
    pub packets: u32,
    /// Send a short burst of video as well.
    pub video: bool,
    /// Folder of the lease, and how long to wait for it.
    pub lease: (PathBuf, Duration),
}

/// How long each stage may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The focus' answer, with its requests to come back later.
    pub focus: Duration,
    /// From the join to our own presence.
    pub join: Duration,
    /// From the second guest's join to the invitation. Jicofo tries another bridge after 15 s.
    pub invitation: Duration,
    /// An invitation, once the focus has said that there is no bridge for it.
    pub no_bridge: Duration,
    /// The answer to our acceptance.
    pub accept: Duration,
    /// From the first check until anything is answered over UDP.
    pub udp: Duration,
    /// From the first check to a valid pair.
    pub ice: Duration,
    /// The DTLS handshake.
    pub dtls: Duration,
    /// From the moment both can hear until both have heard enough.
    pub media: Duration,
    /// From the end of the handshake to the other guest's message.
    pub channel: Duration,
    /// The goodbye.
    pub leave: Duration,
    /// Until the room is gone.
    pub gone: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let s = Duration::from_secs;
        Self {
            focus: s(20),
            join: s(10),
            invitation: s(20),
            no_bridge: s(2),
            accept: s(10),
            udp: Duration::from_millis(2700),
            ice: s(8),
            dtls: s(6),
            media: s(6),
            channel: s(5),
            leave: s(3),
            gone: s(5),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            packets: 60,
            video: false,
            lease: (std::env::temp_dir(), Duration::from_secs(20)),
        }
    }
}
