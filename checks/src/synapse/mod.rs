//! The `synapse` family: see each file's own page.

pub mod admin_private;
pub mod cors;
pub mod error_shapes;
pub mod health;
pub mod login_flows;
pub mod media_config;
pub mod metrics_private;
pub mod rate_limit_shape;
pub mod registration_closed;
pub mod rtc_foci;
mod shared;
pub mod software;
pub mod turn;
pub mod versions;
pub mod well_known_client;
pub mod well_known_support;
