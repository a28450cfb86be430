//! SYN: Synapse and its configuration.

mod choices;
mod configuration;
mod database;
mod discovery;
mod environment;
mod exposure;
mod listeners;
pub(super) mod media;
mod names;
mod pool;
mod private;
mod registration;
mod signing_key;
mod unrendered;

use crate::lint::Rule;

/// The rules of this family.
pub(super) const RULES: &[&Rule] = &[
    &unrendered::UNRENDERED,
    &unrendered::PASSWORD,
    &environment::IGNORED,
    &configuration::NOT_FOUND,
    &names::SERVER_NAME,
    &names::NO_BASE_URL,
    &names::BASE_URL_ELSEWHERE,
    &signing_key::NOT_MOUNTED,
    &signing_key::NO_SUCH_KEY,
    &signing_key::ONLY_COPY,
    &signing_key::GENERATED,
    &listeners::PORTS_DIFFER,
    &listeners::LOOPBACK,
    &listeners::NOT_FORWARDED,
    &listeners::TLS,
    &listeners::RESOURCES,
    &registration::OPEN,
    &database::SQLITE,
    &database::NOT_OF_THE_CLUSTER,
    &database::READ_ONLY,
    &pool::POOL,
    &configuration::NO_LOG_CONFIG,
    &configuration::MEDIA_ELSEWHERE,
    &media::HIDDEN,
    &media::TOO_LARGE,
    &configuration::NO_STATS,
    &media::PREVIEWS,
    &exposure::ADMIN,
    &private::EXPOSED,
    &exposure::NO_DELEGATION,
    &discovery::NOT_ASKED,
    &discovery::NO_CLIENT,
    &choices::NO_TURN,
    &exposure::TWO_MAINS,
    &choices::DEFAULTS,
    &registration::TWICE,
    &choices::NO_MACAROON,
    &choices::NO_SECRET,
];
