//! The `database` family: see each file's own page.

pub mod auth;
pub mod backup;
pub mod connect;
pub mod connections;
pub mod encoding;
pub(crate) mod refusal;
pub mod tls;
pub mod version;

pub(crate) use refusal::absent;
