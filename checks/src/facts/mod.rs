//! Observations that checks share.

mod addresses;
mod advisories;
pub(crate) mod ask;
mod asked;
mod bridge;
mod canary;
mod candidates;
mod client;
mod clock;
mod conference;
mod database;
mod discovery;
mod element;
mod endpoints;
mod exposure;
mod federation;
mod hosts;
mod jitsi;
mod jitsi_config;
mod kubernetes;
mod opinion;
mod page;
mod paths;
mod resolver;
mod sessions;
mod software;
#[cfg(test)]
pub(crate) mod tests;
mod turn;
mod written;

pub use addresses::{Addresses, Resolved, Source, reserved, unreachable_from_outside};
pub use advisories::{Advisory, ELEMENT as ELEMENT_ADVISORIES, SYNAPSE as SYNAPSE_ADVISORIES};
pub use asked::{Ask, Asked, Fetched};
pub use bridge::{Bridge, BridgeSession};
pub use canary::{
    Account, Canary, Day, Ended, KeysKept, Pictures, Proof, Room, RoomTrouble, Talk, Times,
    Trouble, Waited,
};
pub use client::{ClientVersions, ClientWellKnown, Versions, WellKnownClient, WellKnownTrouble};
pub use clock::{Clock, Offsets, TOLERANCE};
pub use conference::{Call, Held, Visitor};
pub use database::{Connections, DatabaseSession, Locale, Postgres};
pub use discovery::{
    Found, Homeserver, Located, bare, below, home_domains, https, same_base, server_host,
};
pub use element::{Element, ElementConfig, ElementSettings};
pub use endpoints::{Endpoint, endpoints, host_names};
pub use exposure::{Exposure, Looked, PRIVATE_PORTS, PrivatePort, PrivatePorts, Said};
pub use federation::{
    FederationRoute, KeySample, LONGEST_LIFETIME, Lead, Lifetime, Place, Route, ServerKeys,
    ServerWellKnown, WellKnownAnswer, WellKnownProblem, WellKnownServer, federation_places,
};
pub use hosts::{Hosts, Role, StackHost};
pub use jitsi::{Jitsi, bare_host, is_third_party};
pub use jitsi_config::{JitsiConfig, JitsiSettings, JitsiXmpp, XmppPlaces};
pub use kubernetes::{Cluster, ClusterApi, Namespace};
pub use opinion::{Opinion, SecondOpinion, stale};
pub use page::{Page, classify};
pub use paths::{EndpointPath, Paths, Route as PathRoute, UdpPaths};
pub use resolver::Resolver;
pub use sessions::{Attempt, Handshakes, Ipv6, Sessions, Trusted};
pub use software::{Release, ServerSoftware, Software};
pub use turn::{Offered, OfferedTurn, OutboundUdp, TurnServers, UdpOut};
pub use written::{Versions as WrittenVersions, Written};

pub(crate) use addresses::{host_of, listed};
pub(crate) use candidates::looks_like_element;
pub(crate) use client::{gist, is_html, read_versions, web_url};
pub(crate) use conference::lacks_a_bridge;
pub(crate) use federation::{another, ask_place, send_place, server_name, unserved};
pub(crate) use jitsi::looks_like_jitsi;
pub(crate) use page::is_homeserver_path;
pub(crate) use paths::is_bridges;
pub(crate) use resolver::describe;
pub(crate) use sessions::{ipv6_is_there, note_out_of_reach, out_of_reach};
pub(crate) use software::as_written;
pub(crate) use turn::{ipv6_is_here, read as read_services};
