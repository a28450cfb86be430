//! The `element` family: see each file's own page.

pub mod base_url;
pub mod cache;
pub mod config;
pub mod fatal_combination;
pub mod headers;
pub mod index;
pub mod jitsi_domain;
pub mod jitsi_widget;
pub mod mixed_content;
pub mod server_name;
pub mod service_worker;
pub mod unknown_path;
pub mod version;
