//! The `federation` family: see each file's own page.

pub mod auth_required;
pub mod clock;
pub mod key_identity;
pub mod keys;
pub mod notary;
pub mod resolve;
pub mod server_name;
pub mod signed_request;
pub mod tls;
pub mod version;
pub mod well_known;
