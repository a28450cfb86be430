//! Jitsi Meet: where it is.

use std::time::Duration;

use futures_util::future::join_all;
use mxdoctor_model::{Evidence, Finding, Vantage};
use url::Url;

use super::ask;
use super::client::WellKnownClient;
use super::discovery::{Found, Homeserver, Located, below, home_domains, https, not_configured};
use super::element::ElementConfig;
use crate::{Cx, Fact, Unavailable};

/// Public Jitsi instances that clients fall back to; nobody's own deployment.
const THIRD_PARTIES: &[&str] =
    &["meet.element.io", "meet.jit.si", "jitsi.riot.im", "8x8.vc", "scalar.vector.im"];

/// The base URL of Jitsi Meet: configured, else named by Element's `config.json`, else by the
/// client well-known, else found by its name.
#[derive(Debug, Clone)]
pub struct Jitsi;

impl Fact for Jitsi {
    type Value = Located;
    const OWNER: &'static str = "jitsi.web";
    const TIMEOUT: Duration = Duration::from_secs(60);

    async fn observe(&self, cx: &Cx) -> Result<Located, Unavailable> {
        if let Some(base) = &cx.target().jitsi {
            return Ok(Located::new(base.clone(), Found::Configured));
        }
        if cx.vantage() != Vantage::Public {
            return Err(not_configured(cx, Self::OWNER, "Jitsi Meet"));
        }
        let named = named(cx).await;
        if let Some((domain, found)) = named.iter().find(|(domain, _)| !is_third_party(domain))
            && let Some(base) = base_of(domain)
        {
            return Ok(Located::new(base, *found));
        }
        let (found, tried) = found_by_name(cx).await;
        match found {
            Some(base) => Ok(Located::new(base, Found::Name)),
            None => Err(Unavailable::by(Self::OWNER, none_found(&named, &tried))),
        }
    }
}

/// The hosts that clients are told, Element's own first.
async fn named(cx: &Cx) -> Vec<(String, Found)> {
    let (config, well_known) =
        futures_util::join!(cx.fact(ElementConfig), cx.fact(WellKnownClient));
    let mut named = Vec::new();
    if let Ok(config) = config {
        let ignored = config.ignored_jitsi_domain().map(|(_, domain)| domain);
        let domains = config.jitsi_domain().into_iter().chain(ignored);
        named.extend(domains.map(|domain| (domain.to_owned(), Found::ElementConfig)));
    }
    if let Some(domain) = well_known.ok().as_deref().and_then(|known| known.jitsi_domain()) {
        named.push((domain.to_owned(), Found::ClientWellKnown));
    }
    named
}

/// Whether a Jitsi host is a public instance, not the deployment's own.
pub fn is_third_party(domain: &str) -> bool {
    let host = bare_host(domain);
    THIRD_PARTIES.contains(&host.as_str())
}

/// The host of a Jitsi domain as people write it, with or without a scheme and a path.
pub fn bare_host(domain: &str) -> String {
    base_of(domain).and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

fn base_of(domain: &str) -> Option<Url> {
    let domain = domain.trim();
    let host = domain.strip_prefix("https://").or_else(|| domain.strip_prefix("http://"));
    https(host.unwrap_or(domain).trim_end_matches('/'))
}

async fn found_by_name(cx: &Cx) -> (Option<Url>, Vec<String>) {
    let homeserver = cx.fact(Homeserver).await.ok();
    let domains =
        home_domains(&cx.target().server_name, homeserver.as_ref().map(|located| &located.base));
    let hosts: Vec<String> = domains
        .iter()
        .flat_map(|domain| ["meet", "jitsi"].map(|label| format!("{label}.{domain}")))
        .collect();
    let looks = hosts.iter().filter_map(|host| https(host)).map(|base| async move {
        let exchange = ask::get(cx, below(&base, "/")).await.ok()?;
        let answer = exchange.last();
        (answer.status.is_success() && looks_like_jitsi(&answer.text())).then_some(base)
    });
    (join_all(looks).await.into_iter().flatten().next(), hosts)
}

/// Whether a page is Jitsi Meet's.
pub(crate) fn looks_like_jitsi(page: &str) -> bool {
    page.contains("lib-jitsi-meet") || page.contains("Jitsi Meet") || page.contains("JitsiMeetJS")
}

fn none_found(named: &[(String, Found)], tried: &[String]) -> Finding {
    let summary = match named.first() {
        Some((domain, found)) => {
            format!("calls go to {domain} ({found}), which is not this deployment's Jitsi Meet")
        }
        None => "no Jitsi Meet of this deployment is named by Element or the client well-known, \
                 and none answers under the usual names"
            .to_owned(),
    };
    let finding = Finding::skip(summary)
        .remedy("if there is one, name it with `jitsi.base_url` in stack.toml");
    if tried.is_empty() {
        return finding;
    }
    finding.evidences([Evidence::note(format!("tried {}", tried.join(", ")))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_read_however_it_is_written() {
        for text in ["meet.example.org", "https://meet.example.org/", " meet.example.org "] {
            assert_eq!(bare_host(text), "meet.example.org");
        }
        assert_eq!(bare_host("meet.example.org:8443"), "meet.example.org");
        assert_eq!(bare_host(""), "");
        assert!(is_third_party("https://meet.element.io"));
        assert!(!is_third_party("meet.example.org"));
    }
}
