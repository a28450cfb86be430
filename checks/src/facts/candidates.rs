//! Where an Element Web may be that nothing names.

use std::time::Duration;

use futures_util::future::join_all;
use mxdoctor_model::Finding;
use url::Url;

use super::Addresses;
use super::ask;
use super::discovery::{below, home_domains, https};
use super::element::{ElementSettings, read_config};
use crate::{Cx, Fact, Unavailable};

/// The usual names of an Element Web, and what is there. Names that do not exist are no trouble.
#[derive(Debug, Clone)]
pub(super) struct ElementCandidates {
    /// Look beside this homeserver too.
    pub(super) homeserver: Option<Url>,
}

/// A usual name of an Element Web.
#[derive(Debug)]
pub(super) struct Candidate {
    /// Its base URL.
    pub(super) base: Url,
    /// Its configuration, if it is Element's.
    pub(super) config: Result<ElementSettings, Box<Finding>>,
    /// Whether its page is Element's.
    pub(super) is_element: bool,
    /// Whether there was no answer at all: no address, no acceptable certificate, silence.
    pub(super) mute: bool,
}

impl Fact for ElementCandidates {
    type Value = Vec<Candidate>;
    const OWNER: &'static str = "element.index";
    const TIMEOUT: Duration = Duration::from_secs(60);

    async fn observe(&self, cx: &Cx) -> Result<Self::Value, Unavailable> {
        let domains = home_domains(&cx.target().server_name, self.homeserver.as_ref());
        let bases = domains.iter().flat_map(|domain| {
            ["element", "app", "chat", "web"]
                .into_iter()
                .filter_map(move |label| https(&format!("{label}.{domain}")))
        });
        Ok(join_all(bases.map(|base| look(cx, base))).await)
    }
}

async fn look(cx: &Cx, base: Url) -> Candidate {
    let (config, mute) = match read_config(cx, &base).await {
        Ok(config) if config.is_elements() => (Ok(config), false),
        Ok(config) => {
            (Err(Box::new(Finding::skip(format!("{} is not Element's", config.url)))), false)
        }
        Err(by) => {
            let mute = by.owner != "element.config";
            (Err(by.finding), mute)
        }
    };
    let is_element = config.is_ok() || (!mute && page_is_elements(cx, &base).await);
    Candidate { base, config, is_element, mute }
}

async fn page_is_elements(cx: &Cx, base: &Url) -> bool {
    match ask::get(cx, below(base, "/")).await {
        Ok(exchange) => {
            let answer = exchange.last();
            answer.status.is_success() && looks_like_element(&answer.text())
        }
        Err(_) => false,
    }
}

/// Whether a page is Element Web's: its title or its mount point, and its bundles.
pub(crate) fn looks_like_element(page: &str) -> bool {
    page.contains("bundles/") && (page.contains("id=\"matrixchat\"") || page.contains("Element"))
}

/// The first `element.` name that exists in DNS and did not answer as a web server of anybody's
/// does: an Element Web that is broken, and not to be passed over in silence. A name that a
/// wildcard record makes proves nothing.
pub(super) async fn by_dns(cx: &Cx, candidates: &[Candidate]) -> Option<Url> {
    for candidate in candidates.iter().filter(|candidate| candidate.mute) {
        let Some((_, domain)) =
            candidate.base.host_str().and_then(|host| host.split_once("element."))
        else {
            continue;
        };
        let stranger = Addresses { host: format!("mxdoctor-no-such-name.{domain}") };
        let own = Addresses { host: format!("element.{domain}") };
        let (own, stranger) = futures_util::join!(cx.fact(own), cx.fact(stranger));
        if own.is_ok() && stranger.is_err() {
            return Some(candidate.base.clone());
        }
    }
    None
}
