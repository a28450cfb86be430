//! SYN: Synapse and its configuration.

mod configuration;
mod database;
mod environment;
mod exposure;
mod listeners;
mod names;
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
    &configuration::NO_LOG_CONFIG,
    &configuration::MEDIA_ELSEWHERE,
    &configuration::NO_STATS,
    &exposure::ADMIN,
    &exposure::NO_DELEGATION,
    &exposure::TWO_MAINS,
    &registration::TWICE,
];
