//! Observations that checks share.

pub(crate) mod ask;
mod client;
mod discovery;
mod element;
mod hosts;
mod jitsi;

#[cfg(test)]
pub(crate) mod tests;

pub use client::{ClientVersions, ClientWellKnown, Versions, WellKnownClient, WellKnownTrouble};
pub(crate) use client::{gist, is_html, web_url};
pub use discovery::{
    Found, Homeserver, Located, bare, below, home_domains, https, same_base, server_host,
};
pub(crate) use element::looks_like_element;
pub use element::{Element, ElementConfig, ElementSettings};
pub use hosts::{Hosts, Role, StackHost};
pub(crate) use jitsi::looks_like_jitsi;
pub use jitsi::{Jitsi, bare_host, is_third_party};
