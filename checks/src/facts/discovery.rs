//! Where the parts of the stack are: configured, announced, or found by their usual names.

use std::fmt;

use futures_util::future::join_all;
use mxdoctor_model::{Finding, Vantage};
use url::Url;

use super::ask;
use super::candidates::ElementCandidates;
use super::client::{WellKnownClient, read_versions};
use crate::{Cx, Fact, Unavailable};

/// How the address of a part was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It is written in the configuration.
    Configured,
    /// The client well-known of the server name names it.
    ClientWellKnown,
    /// Element's `config.json` names it.
    ElementConfig,
    /// It answers under a usual name.
    Name,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Configured => "configured",
            Self::ClientWellKnown => "named by the client well-known",
            Self::ElementConfig => "named by Element's config.json",
            Self::Name => "found by its name",
        })
    }
}

/// Where a part of the stack is, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Base URL; its path may end in a slash or not.
    pub base: Url,
    /// How it was found.
    pub found: Found,
}

impl Located {
    /// A location.
    pub fn new(base: Url, found: Found) -> Self {
        Self { base, found }
    }

    /// The URL of a path (with its leading slash) below the base.
    pub fn url(&self, path: &str) -> Url {
        below(&self.base, path)
    }

    /// Host of the base URL; empty only for URLs that cannot be fetched anyhow.
    pub fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }
}

impl fmt::Display for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", bare(&self.base), self.found)
    }
}

/// The URL of a path (with its leading slash) below a base URL, which may have a path of its own:
/// clients strip the slashes at the end of the base and append.
pub fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let (path, query) = path.split_once('?').map_or((path, None), |(p, q)| (p, Some(q)));
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url.set_query(query);
    url.set_fragment(None);
    url
}

/// A base URL as people write it: without the slash at the end.
pub fn bare(base: &Url) -> String {
    base.as_str().trim_end_matches('/').to_owned()
}

/// The same place over https where plain http is announced. That http is announced is for the
/// check of the announcement to say; behind it a redirect would be all that is seen.
fn secured(base: Url) -> Url {
    let mut url = base.clone();
    let plain = base.scheme() == "http" && base.port().is_none();
    if plain && url.set_scheme("https").is_ok() { url } else { base }
}

/// Whether two base URLs lead to the same place: scheme, host, port and path.
pub fn same_base(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
        && one.path().trim_end_matches('/') == other.path().trim_end_matches('/')
}

/// `https://host`, if the host can stand in a URL.
pub fn https(host: &str) -> Option<Url> {
    Url::parse(&format!("https://{host}/")).ok().filter(|url| url.host_str().is_some())
}

/// The host of a server name, without its port (Matrix appendices, "Server Name").
pub fn server_host(server_name: &str) -> &str {
    match server_name.rfind(']') {
        Some(end) => &server_name[..=end],
        None => server_name.split(':').next().unwrap_or(server_name),
    }
}

/// Domains under which the stack's other hosts usually live: the server name's own host, and what
/// is above the homeserver's host. Neither for addresses, and nothing that may be everybody's
/// (`org`, `co.uk`).
pub fn home_domains(server_name: &str, homeserver: Option<&Url>) -> Vec<String> {
    let mut domains: Vec<String> = Vec::new();
    let host = server_host(server_name).to_lowercase();
    if is_name(&host) {
        domains.push(host);
    }
    let parent = homeserver
        .and_then(Url::host_str)
        .filter(|host| is_name(host))
        .and_then(|host| host.split_once('.'))
        .map(|(_, parent)| parent);
    if let Some(parent) = parent.filter(|parent| !may_be_public(parent)) {
        domains.push(parent.to_owned());
    }
    domains.dedup();
    domains
}

fn is_name(host: &str) -> bool {
    host.contains('.') && host.split('.').next_back().is_some_and(|l| l.parse::<u32>().is_err())
}

/// Whether a domain looks like one under which strangers register: one label, or two short ones.
fn may_be_public(domain: &str) -> bool {
    let labels: Vec<&str> = domain.split('.').collect();
    labels.len() < 2 || (labels.len() == 2 && labels.iter().all(|label| label.len() <= 3))
}

/// Whether a part can be looked for from here: outside, everything that is announced counts; at
/// the other vantages only configured addresses do.
pub(super) fn not_configured(cx: &Cx, owner: &'static str, what: &str) -> Unavailable {
    Unavailable::by(
        owner,
        Finding::skip(format!(
            "no address of {what} is configured for the {} vantage, and none is announced there",
            cx.vantage()
        )),
    )
}

/// The homeserver's client API: configured, else named by the client well-known, else by Element's
/// `config.json`, else found by its name. Not itself a proof that it answers.
#[derive(Debug, Clone)]
pub struct Homeserver;

impl Fact for Homeserver {
    type Value = Located;
    const OWNER: &'static str = "synapse.versions";
    const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);

    async fn observe(&self, cx: &Cx) -> Result<Located, Unavailable> {
        if let Some(base) = &cx.target().homeserver {
            return Ok(Located::new(base.clone(), Found::Configured));
        }
        if cx.vantage() != Vantage::Public {
            return Err(not_configured(cx, Self::OWNER, "the homeserver"));
        }
        let announced = cx.fact(WellKnownClient).await;
        if let Ok(Ok(base)) = announced.as_ref().map(|well_known| well_known.base_url()) {
            return Ok(Located::new(secured(base), Found::ClientWellKnown));
        }
        if let Some(base) = named_by_element(cx).await {
            return Ok(Located::new(secured(base), Found::ElementConfig));
        }
        let (base, tried) = found_by_name(cx).await;
        match (base, announced) {
            (Some(base), _) => Ok(Located::new(base, Found::Name)),
            (None, Err(blocked)) => Err(blocked),
            (None, Ok(_)) => Err(Unavailable::by(Self::OWNER, not_found(cx, &tried))),
        }
    }
}

/// The homeserver that an Element under one of the server name's own names is set up for.
async fn named_by_element(cx: &Cx) -> Option<Url> {
    let candidates = cx.fact(ElementCandidates { homeserver: None }).await.ok()?;
    let name = &cx.target().server_name;
    candidates.iter().filter_map(|candidate| candidate.config.as_ref().ok()).find_map(|config| {
        let base = config.homeserver()?;
        let ours = config.server_name() == Some(name)
            || base.host_str().is_some_and(|host| belongs_to(host, server_host(name)));
        ours.then_some(base)
    })
}

/// Whether a host is a domain or below it.
pub(super) fn belongs_to(host: &str, domain: &str) -> bool {
    let domain = domain.to_lowercase();
    host == domain || host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
}

async fn found_by_name(cx: &Cx) -> (Option<Url>, Vec<String>) {
    let host = server_host(&cx.target().server_name).to_lowercase();
    let mut hosts = vec![host.clone()];
    if is_name(&host) {
        hosts.splice(0..0, [format!("matrix.{host}"), format!("synapse.{host}")]);
    }
    let looks = hosts.iter().filter_map(|host| https(host)).map(|base| async move {
        let asked = ask::get(cx, below(&base, "/_matrix/client/versions")).await;
        let said = match asked {
            Err(by) => Err(by.finding.summary.clone()),
            Ok(exchange) => read_versions(exchange).map(drop).map_err(|trouble| trouble.summary),
        };
        (base, said)
    });
    let looked = join_all(looks).await;
    let found = looked.iter().find(|(_, said)| said.is_ok()).map(|(base, _)| base.clone());
    let tried = looked
        .into_iter()
        .filter_map(|(base, said)| said.err().map(|why| format!("{}: {why}", bare(&base))))
        .collect();
    (found, tried)
}

fn not_found(cx: &Cx, tried: &[String]) -> Finding {
    let name = &cx.target().server_name;
    let finding = Finding::skip(format!(
        "no homeserver of {name} was found: the client well-known does not name one, nor does an \
         Element Web under {name}, and none answers under the usual names"
    ))
    .remedy("name it with `homeserver.base_url` in stack.toml");
    finding.evidences(tried.iter().map(mxdoctor_model::Evidence::note))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    #[test]
    fn paths_are_appended_to_the_base() {
        for base in ["https://example.org", "https://example.org/", "https://example.org//"] {
            let full = below(&url(base), "/_matrix/client/versions");
            assert_eq!(full.as_str(), "https://example.org/_matrix/client/versions");
        }
        let full = below(&url("https://example.org/hs/"), "/a?kind=user");
        assert_eq!(full.as_str(), "https://example.org/hs/a?kind=user");
    }

    #[test]
    fn what_is_announced_over_http_is_looked_for_over_https() {
        let secured = |text| secured(url(text)).to_string();
        assert_eq!(secured("http://a.example/hs"), "https://a.example/hs");
        assert_eq!(secured("https://a.example"), "https://a.example/");
        assert_eq!(secured("http://a.example:8008"), "http://a.example:8008/");
    }

    #[test]
    fn a_server_name_has_a_host() {
        assert_eq!(server_host("example.org"), "example.org");
        assert_eq!(server_host("example.org:8448"), "example.org");
        assert_eq!(server_host("[2001:db8::1]:8448"), "[2001:db8::1]");
    }

    #[test]
    fn domains_of_strangers_are_not_searched() {
        let domains = |name, hs: &str| home_domains(name, Some(&url(hs)));
        assert_eq!(domains("example.org", "https://matrix.example.org"), ["example.org"]);
        assert_eq!(
            domains("example.org", "https://matrix.chat.example.net"),
            ["example.org", "chat.example.net"]
        );
        assert_eq!(domains("example.org", "https://hs.co.uk"), ["example.org"]);
        assert_eq!(domains("example.org", "https://example.net"), ["example.org"]);
        assert!(domains("192.0.2.1", "https://192.0.2.1").is_empty());
    }

    #[test]
    fn same_base_ignores_the_slash_and_the_default_port() {
        assert!(same_base(&url("https://a.example"), &url("https://a.example:443/")));
        assert!(!same_base(&url("https://a.example"), &url("http://a.example")));
        assert!(!same_base(&url("https://a.example/x"), &url("https://a.example")));
    }

    #[test]
    fn a_name_belongs_to_its_domain_only() {
        assert!(belongs_to("matrix.example.org", "Example.org"));
        assert!(belongs_to("example.org", "example.org"));
        assert!(!belongs_to("notexample.org", "example.org"));
    }
}
