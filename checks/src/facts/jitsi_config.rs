//! What Jitsi Meet tells its own clients.

use std::sync::Arc;

use mxdoctor_model::{EvidenceKind, Finding, Outcome, Vantage};
use mxdoctor_probes::http::Exchange;
use mxdoctor_probes::jsconfig::{JsConfig, JsConfigError, MAX_SIZE};
use url::Url;

use super::{Ask, Fetched, Jitsi, below};
use crate::{Cx, Fact, Unavailable, jitsi};

/// `config.js`, read.
///
/// Owned by `jitsi.config_js`.
#[derive(Debug, Clone)]
pub struct JitsiConfig;

/// What `config.js` says.
#[derive(Debug, Clone)]
pub struct JitsiSettings {
    /// Base URL of Jitsi Meet.
    pub base: Url,
    /// The request.
    pub exchange: Arc<Exchange>,
    /// Its content.
    pub config: JsConfig,
}

impl JitsiSettings {
    /// The XMPP domain that guests log in to: `hosts.anonymousdomain`, else `hosts.domain`.
    pub fn guest_domain(&self) -> Option<&str> {
        self.config.text("hosts.anonymousdomain").or_else(|| self.config.text("hosts.domain"))
    }

    /// A URL of the configuration, relative ones by the page's own; none where there is none.
    ///
    /// # Errors
    /// The text that is no URL.
    pub fn url(&self, key: &str) -> Option<Result<Url, String>> {
        let text = self.config.text(key).filter(|text| !text.is_empty())?;
        Some(self.base.join(text).map_err(|_| text.to_owned()))
    }
}

impl Fact for JitsiConfig {
    type Value = JitsiSettings;
    const OWNER: &'static str = "jitsi.config_js";
    const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);

    async fn observe(&self, cx: &Cx) -> Result<JitsiSettings, Unavailable> {
        let base = cx.fact(Jitsi).await?.base.clone();
        let url = below(&base, "/config.js");
        let ask = Ask::get(url.clone()).redirects(5).limit(MAX_SIZE);
        let exchange = cx.fact(Fetched(ask)).await?;
        let response = exchange.last();
        let status = response.status.as_u16();
        let fail = |what: String| {
            let finding = Finding::fail("jitsi-config-invalid", format!("{url}: {what}"))
                .expected("200 and Jitsi Meet's configuration as JavaScript")
                .actual(format!("{status}, {} bytes", response.body.len()))
                .evidence(EvidenceKind::Request, response.line());
            Unavailable::by("jitsi.config_js", finding)
        };
        if status != 200 {
            return Err(fail(format!("answered with {status}")));
        }
        match JsConfig::parse(&response.body, &response.url) {
            Ok(config) => Ok(JitsiSettings { base, exchange: exchange.clone(), config }),
            Err(JsConfigError::Html) => Err(fail(
                "a web page answers, which is Jitsi Meet's start page for any path".into(),
            )),
            Err(error) => Err(fail(error.to_string())),
        }
    }
}

/// Where clients find XMPP.
///
/// Owned by `jitsi.config_js`: what it fails for leaves nothing to look at.
#[derive(Debug, Clone)]
pub struct JitsiXmpp;

/// The ways to XMPP.
#[derive(Debug, Clone)]
pub struct XmppPlaces {
    /// The domain that guests log in to.
    pub domain: String,
    /// Whether that is a domain for guests alone (`hosts.anonymousdomain`).
    pub for_guests: bool,
    /// The deployment's domain (`hosts.domain`): users, components and services are there.
    pub deployment: String,
    /// The domain of rooms (`hosts.muc`).
    pub muc: String,
    /// The focus' address: `hosts.focus`, else `focus.` before the deployment's domain.
    pub focus: String,
    /// How many videos browsers ask for, where that is limited (`channelLastN`); -1 is all.
    pub last_n: Option<i64>,
    /// BOSH, where it is named.
    pub bosh: Option<Url>,
    /// WebSocket, where it is named.
    pub websocket: Option<Url>,
}

impl Fact for JitsiXmpp {
    type Value = XmppPlaces;
    const OWNER: &'static str = "jitsi.config_js";
    const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);

    async fn observe(&self, cx: &Cx) -> Result<XmppPlaces, Unavailable> {
        let settings = cx.fact(JitsiConfig).await?;
        let finding = jitsi::config_js::opinion(cx, &settings).await;
        if matches!(finding.outcome, Outcome::Fail | Outcome::Error) {
            return Err(Unavailable::by("jitsi.config_js", finding));
        }
        let place = |key| {
            let url = settings.url(key)?.ok()?;
            Some(if cx.vantage() == Vantage::Public { url } else { inside(&settings.base, &url) })
        };
        let config = &settings.config;
        let text = |key| config.text(key).filter(|text| !text.is_empty()).map(str::to_owned);
        let deployment = text("hosts.domain").unwrap_or_default();
        Ok(XmppPlaces {
            domain: settings.guest_domain().unwrap_or_default().to_owned(),
            for_guests: text("hosts.anonymousdomain").is_some(),
            muc: text("hosts.muc").unwrap_or_default(),
            focus: text("hosts.focus").unwrap_or_else(|| format!("focus.{deployment}")),
            deployment,
            last_n: config.get("channelLastN").and_then(serde_json::Value::as_i64),
            bosh: place("bosh"),
            websocket: place("websocket"),
        })
    }
}

/// The same path at the base of a vantage inside: the configuration names the public host.
fn inside(base: &Url, url: &Url) -> Url {
    let mut moved = base.clone();
    moved.set_path(url.path());
    let secure = base.scheme() == "https";
    let scheme = match (url.scheme(), secure) {
        ("ws" | "wss", true) => "wss",
        ("ws" | "wss", false) => "ws",
        (_, true) => "https",
        (_, false) => "http",
    };
    // Fails for other schemes only; `below` made these two from http.
    let _ = moved.set_scheme(scheme);
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_the_host_is_the_vantages_own() {
        let moved = |base: &str, url: &str| {
            let url = Url::parse(url).expect("a URL");
            inside(&Url::parse(base).expect("a URL"), &url).to_string()
        };
        let public = "wss://meet.example.org/xmpp-websocket";
        assert_eq!(
            moved("https://meet.cluster.arpa", public),
            "wss://meet.cluster.arpa/xmpp-websocket"
        );
        assert_eq!(moved("http://web.svc:8000", public), "ws://web.svc:8000/xmpp-websocket");
        let bosh = "https://meet.example.org/http-bind";
        assert_eq!(moved("http://web.svc", bosh), "http://web.svc/http-bind");
    }
}
