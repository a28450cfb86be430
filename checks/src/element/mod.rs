//! The `element` family: see each file's own page.

pub mod base_url;
pub mod cache;
pub mod config;
pub mod headers;
pub mod index;
pub mod jitsi_domain;
pub mod jitsi_widget;
pub mod server_name;
pub mod version;
