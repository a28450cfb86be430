//! ELE: Element Web and its configuration.

mod configuration;
mod homeserver;
mod jitsi;

use crate::lint::Rule;

/// The rules of this family.
pub(super) const RULES: &[&Rule] = &[
    &configuration::BROKEN,
    &configuration::OTHER_KEY,
    &homeserver::BASE_URL,
    &homeserver::SERVER_NAME,
    &homeserver::TWICE,
    &jitsi::DOMAIN,
    &homeserver::SHARED_HOST,
];
