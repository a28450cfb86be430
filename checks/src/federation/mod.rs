//! The `federation` family: see each file's own page.

pub mod keys;
pub mod resolve;
pub mod server_name;
pub mod tls;
pub mod version;
pub mod well_known;
