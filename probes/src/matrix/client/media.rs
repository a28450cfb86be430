//! Pictures, up and down.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;

use super::{Call, CallError, Client, segment};

/// What may come down for a picture of ours.
const LIMIT: usize = 1024 * 1024;

/// A `mxc:` URI, taken apart (Matrix client-server API, "Matrix Content URIs").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mxc {
    /// Server name.
    pub server: String,
    /// Media id.
    pub id: String,
}

impl std::str::FromStr for Mxc {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.strip_prefix("mxc://").and_then(|rest| rest.split_once('/'));
        match parts {
            Some((server, id)) if !server.is_empty() && !id.is_empty() && !id.contains('/') => {
                Ok(Self { server: server.to_owned(), id: id.to_owned() })
            }
            _ => Err(format!("`{text}` is not `mxc://SERVER/ID`")),
        }
    }
}

/// A file that came down.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its bytes.
    pub bytes: Bytes,
    /// Its `Content-Type`.
    pub kind: String,
    /// Whether a cache says that it had it (`CF-Cache-Status: HIT`, or an `Age` above 0).
    pub cached: bool,
    /// How long it took.
    pub took: Duration,
}

impl Client {
    /// Uploads a PNG under a file name; where it is kept, and how long that took.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn upload(&self, name: &str, png: Bytes) -> Result<(Mxc, Duration), CallError> {
        let call = Call::new(http::Method::POST, "/_matrix/media/v3/upload")
            .query("filename", name)
            .bytes(HeaderValue::from_static("image/png"), png);
        let reply = self.call(call).await?;
        let mxc = reply.text("content_uri")?;
        let mxc = mxc.parse().map_err(|why: String| reply.lacks(why))?;
        Ok((mxc, reply.took))
    }

    /// The largest upload that the homeserver takes, in bytes (`m.upload.size`); none where it
    /// names no limit.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn upload_limit(&self) -> Result<Option<u64>, CallError> {
        let reply = self.call(Call::get("/_matrix/client/v1/media/config")).await?;
        Ok(reply.json.get("m.upload.size").and_then(serde_json::Value::as_u64))
    }

    /// Downloads by the authenticated endpoint; without the token where `anonymous` is set.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn download(&self, mxc: &Mxc, anonymous: bool) -> Result<Stored, CallError> {
        self.fetch("/_matrix/client/v1/media/download", mxc, &[], anonymous).await
    }

    /// Downloads by the endpoint of before v1.11, which needs no token.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn download_before_v1_11(&self, mxc: &Mxc) -> Result<Stored, CallError> {
        self.fetch("/_matrix/media/v3/download", mxc, &[], true).await
    }

    /// A small version of a picture; by the endpoint of before v1.11 where `legacy` is set.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn thumbnail(&self, mxc: &Mxc, legacy: bool) -> Result<Stored, CallError> {
        let base = if legacy {
            "/_matrix/media/v3/thumbnail"
        } else {
            "/_matrix/client/v1/media/thumbnail"
        };
        let query = [("width", "32"), ("height", "32"), ("method", "scale")];
        self.fetch(base, mxc, &query, legacy).await
    }

    async fn fetch(
        &self,
        base: &str,
        mxc: &Mxc,
        query: &[(&'static str, &str)],
        anonymous: bool,
    ) -> Result<Stored, CallError> {
        let (server, id) = (segment(&mxc.server), segment(&mxc.id));
        let mut call = Call::get(format!("{base}/{server}/{id}")).limit(LIMIT);
        for (name, value) in query {
            call = call.query(name, *value);
        }
        if anonymous {
            call = call.anonymous();
        }
        let reply = self.call(call).await?;
        let header = |name: &str| reply.response.header(name).unwrap_or_default().to_owned();
        let aged = header("age").parse::<u64>().is_ok_and(|age| age > 0);
        let cached = aged || header("cf-cache-status").eq_ignore_ascii_case("hit");
        let kind = header("content-type");
        Ok(Stored { bytes: reply.response.body, kind, cached, took: reply.took })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_media_are_taken_apart() {
        let mxc: Mxc = "mxc://example.org:8448/Ab".parse().expect("right");
        assert_eq!((mxc.server.as_str(), mxc.id.as_str()), ("example.org:8448", "Ab"));
        for text in ["", "mxc://", "mxc://a/", "mxc:///b", "http://a/b", "mxc://a/b/c"] {
            assert!(text.parse::<Mxc>().is_err(), "{text}");
        }
    }
}
