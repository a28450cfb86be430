//! `dns.srv`

use futures_util::future::join_all;
use mxdoctor_model::{EvidenceKind, Finding, Outcome};
use mxdoctor_probes::dns::{Answer, Data, Kind, Lookup};

use crate::facts::{Addresses, Ask, Fetched, describe, host_of};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The records `_matrix-fed._tcp` and `_matrix._tcp` of the server name are absent, or can be
    /// used by other homeservers.
    ///
    /// ## Why it matters
    /// Where no well-known document names another server, other homeservers go by these records. A
    /// record that is there and broken is final: they do not fall back to port 8448. Where a
    /// well-known document is valid, the records are the way for the hours in which it is not.
    ///
    /// ## What makes it fail
    /// - The target is an alias; RFC 2782 forbids it, and some implementations refuse it.
    /// - The target is `.` (the service is decidedly not offered) or has no address, or the port
    ///   is 0.
    ///
    /// It warns where only the deprecated `_matrix._tcp` is there, or where both are and disagree.
    /// Where a valid well-known document stands before the records, what would fail warns, and what
    /// would warn passes. A server name with a port, and one that is an address, are a skip.
    ///
    /// ## How to fix it
    /// `_matrix-fed._tcp.testing.borooka.ee. SRV 10 0 443 matrix.testing.borooka.ee.`, with a
    /// target that has A or AAAA records of its own. Without need for it, remove the record: with
    /// `/.well-known/matrix/server` none is needed.
    ///
    /// ## Where it comes from
    /// RFC 2782; Matrix server-server API, "Resolving server names", steps 4 and 5.
    "dns.srv" at P: "SRV records are absent or usable"
    causes [
        "srv-target-alias",
        "srv-target-unusable",
        "srv-deprecated-only",
        "srv-records-disagree",
    ]
    timeout 25
}

async fn run(cx: &Cx) -> Verdict {
    let name = &cx.target().server_name;
    let host = host_of(name);
    if host.parse::<std::net::IpAddr>().is_ok() || name.len() > host.len() {
        return Ok(
            Finding::skip("a server name with a port or an address uses no SRV record").into()
        );
    }
    let (fed, old) = (format!("_matrix-fed._tcp.{host}"), format!("_matrix._tcp.{host}"));
    let (fed, old) =
        tokio::join!(cx.net().lookup(&fed, Kind::Srv), cx.net().lookup(&old, Kind::Srv));
    for lookup in [&fed, &old] {
        if let Answer::Unanswered(_) | Answer::Refused(_) = lookup.answer {
            // Where the name itself has no answer either, that is the trouble to report.
            cx.fact(Addresses { host: host.clone() }).await?;
            let finding = Finding::error(format!("no usable answer for {}", lookup.name));
            return Ok(finding.evidence(EvidenceKind::Dns, describe(lookup)).into());
        }
    }
    let (fed_targets, old_targets) = tokio::join!(targets(cx, &fed), targets(cx, &old));
    let delegated =
        !(fed_targets.is_empty() && old_targets.is_empty()) && is_delegated(cx, &host).await;
    let finding = judge(&fed_targets, &old_targets, delegated)
        .evidence(EvidenceKind::Dns, describe(&fed))
        .evidence(EvidenceKind::Dns, describe(&old));
    Ok(finding.into())
}

/// Where a record leads.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    name: String,
    port: u16,
    trouble: Option<Trouble>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Trouble {
    Alias(String),
    Unusable(String),
}

async fn targets(cx: &Cx, lookup: &Lookup) -> Vec<Target> {
    let records = lookup.records().filter_map(|record| match &record.data {
        Data::Srv { port, target, .. } => Some((target.clone(), *port)),
        _ => None,
    });
    join_all(records.map(|(name, port)| async move {
        let trouble = trouble(cx, &name, port).await;
        Target { name, port, trouble }
    }))
    .await
}

async fn trouble(cx: &Cx, name: &str, port: u16) -> Option<Trouble> {
    if name.is_empty() {
        return Some(Trouble::Unusable("says that there is no such service (target `.`)".into()));
    }
    if port == 0 {
        return Some(Trouble::Unusable(format!("names port 0 of {name}")));
    }
    let alias = cx.net().lookup(name, Kind::Cname).await;
    if let Some(Data::Cname(to)) = alias.records().next().map(|record| &record.data) {
        return Some(Trouble::Alias(format!("leads to {name}, which is an alias of {to}")));
    }
    match cx.fact(Addresses { host: name.to_owned() }).await {
        Err(by) if by.finding.outcome == Outcome::Fail => {
            Some(Trouble::Unusable(format!("leads to {name}: {}", by.finding.summary)))
        }
        _ => None,
    }
}

/// Whether a well-known document stands before the records.
async fn is_delegated(cx: &Cx, host: &str) -> bool {
    let Ok(url) = format!("https://{host}/.well-known/matrix/server").parse() else { return false };
    let Ok(exchange) = cx.fact(Fetched(Ask::get(url).redirects(10))).await else { return false };
    let response = exchange.last();
    let json: Result<serde_json::Value, _> = serde_json::from_slice(&response.body);
    response.status.is_success()
        && json.is_ok_and(|json| json["m.server"].as_str().is_some_and(|to| !to.is_empty()))
}

fn judge(fed: &[Target], old: &[Target], delegated: bool) -> Finding {
    let used = if fed.is_empty() { old } else { fed };
    let service = if fed.is_empty() { "_matrix._tcp" } else { "_matrix-fed._tcp" };
    if used.is_empty() {
        return Finding::pass("no SRV record, and none is needed");
    }
    if let Some(trouble) = used.iter().find_map(|target| target.trouble.as_ref()) {
        let (cause, what) = match trouble {
            Trouble::Alias(what) => ("srv-target-alias", what),
            Trouble::Unusable(what) => ("srv-target-unusable", what),
        };
        let summary = format!("{service} {what}");
        let finding =
            if delegated { Finding::warn(cause, summary) } else { Finding::fail(cause, summary) };
        return finding.expected("a host with addresses of its own, and a port");
    }
    let list = used.iter().map(|t| format!("{}:{}", t.name, t.port)).collect::<Vec<_>>().join(", ");
    if delegated {
        return Finding::pass(format!(
            "{service} leads to {list}; the well-known document is before it"
        ));
    }
    if fed.is_empty() {
        let summary = format!("only the deprecated _matrix._tcp leads to {list}");
        return Finding::warn("srv-deprecated-only", summary);
    }
    let same = old.iter().all(|o| fed.iter().any(|f| (&f.name, f.port) == (&o.name, o.port)));
    if !same {
        let summary = format!("_matrix-fed._tcp leads to {list}, and _matrix._tcp elsewhere");
        return Finding::warn("srv-records-disagree", summary);
    }
    Finding::pass(format!("{service} leads to {list}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str, trouble: Option<Trouble>) -> Target {
        Target { name: name.into(), port: 443, trouble }
    }

    #[test]
    fn records_are_judged_by_their_use() {
        use Outcome::{Fail, Pass, Warn};
        let good = target("matrix.example.org", None);
        let other = target("old.example.org", None);
        let alias = target("a.example.org", Some(Trouble::Alias("is an alias".into())));
        let gone = target("", Some(Trouble::Unusable("is not offered".into())));
        let one = std::slice::from_ref::<Target>;
        for (fed, old, delegated, outcome, cause) in [
            (&[][..], &[][..], false, Pass, None),
            (one(&good), &[], false, Pass, None),
            (one(&good), one(&good), false, Pass, None),
            (one(&good), one(&other), false, Warn, Some("srv-records-disagree")),
            (&[], one(&good), false, Warn, Some("srv-deprecated-only")),
            (&[], one(&good), true, Pass, None),
            (one(&alias), one(&good), false, Fail, Some("srv-target-alias")),
            (one(&gone), &[], false, Fail, Some("srv-target-unusable")),
            (one(&gone), &[], true, Warn, Some("srv-target-unusable")),
        ] {
            let finding = judge(fed, old, delegated);
            assert_eq!((finding.outcome, finding.cause), (outcome, cause), "{}", finding.summary);
        }
    }
}
