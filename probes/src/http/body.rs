//! Bodies, bounded in size and time.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use super::link::whole_text;

/// At most `limit` bytes until `deadline`, and why it is not the whole.
pub(crate) async fn read_body(
    mut incoming: Incoming,
    limit: usize,
    deadline: Instant,
    patience: Duration,
) -> (Bytes, Option<String>) {
    let mut body = BytesMut::new();
    let cut = loop {
        match timeout_at(deadline, incoming.frame()).await {
            Err(_) => break Some(format!("the body did not end within {patience:?}")),
            Ok(None) => break None,
            Ok(Some(Err(error))) => {
                break Some(format!("the body ended early: {}", whole_text(&error)));
            }
            Ok(Some(Ok(frame))) => {
                let data = frame.into_data().unwrap_or_default();
                let room = limit - body.len();
                body.extend_from_slice(&data[..data.len().min(room)]);
                if data.len() > room {
                    break Some(format!("the body is longer than {limit} bytes"));
                }
            }
        }
    };
    (body.freeze(), cut)
}
