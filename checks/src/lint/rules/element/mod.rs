//! ELE: Element Web and its configuration.

mod configuration;
mod container;
mod headers;
mod homeserver;
mod jitsi;
mod others;

use crate::lint::Rule;

/// The rules of this family.
pub(super) const RULES: &[&Rule] = &[
    &configuration::BROKEN,
    &configuration::OTHER_KEY,
    &homeserver::BASE_URL,
    &homeserver::SERVER_NAME,
    &homeserver::TWICE,
    &jitsi::DOMAIN,
    &container::PORT,
    &container::READ_ONLY,
    &homeserver::SHARED_HOST,
    &headers::FRAMED,
    &others::THIRD_PARTY,
    &headers::KEPT,
];
