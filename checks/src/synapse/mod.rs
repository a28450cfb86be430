//! The `synapse` family: see each file's own page.

pub mod admin_private;
pub mod cors;
pub mod health;
pub mod login_flows;
pub mod metrics_private;
pub mod registration_closed;
pub mod software;
pub mod versions;
pub mod well_known_client;
