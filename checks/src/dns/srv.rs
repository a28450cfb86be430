//! `dns.srv`

use futures_util::future::join_all;
use mxdoctor_model::{EvidenceKind, Finding, Outcome};
use mxdoctor_probes::dns::{Answer, Data, Kind, Lookup};

use crate::facts::{Addresses, WellKnownServer, describe, host_of};
use crate::{Cx, Unavailable, Verdict, check};

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
    /// Where a well-known document names a host without a port, the records of that host are the
    /// next step, and are judged as well, under its name.
    ///
    /// ## How to fix it
    /// `_matrix-fed._tcp.testing.borooka.ee. SRV 10 0 443 matrix.testing.borooka.ee.`, with a
    /// target that has A or AAAA records of its own. Without need for it, remove the record: with
    /// `/.well-known/matrix/server` none is needed.
    ///
    /// ## Where it comes from
    /// RFC 2782; Matrix server-server API, "Resolving server names", steps 3.3, 3.4, 4 and 5.
    "dns.srv" at P: "SRV records are absent or usable"
    causes [
        "srv-target-alias",
        "srv-target-unusable",
        "srv-deprecated-only",
        "srv-records-disagree",
    ]
    timeout 60
}

async fn run(cx: &Cx) -> Verdict {
    let name = &cx.target().server_name;
    let host = host_of(name);
    if host.parse::<std::net::IpAddr>().is_ok() || name.len() > host.len() {
        return Ok(
            Finding::skip("a server name with a port or an address uses no SRV record").into()
        );
    }
    let records = look_up(cx, &host).await?;
    let known = cx.fact(WellKnownServer).await.ok();
    let to = known.as_ref().and_then(|known| known.delegation()?.ok()).map(|found| &found.to);
    let mut findings = vec![records.judge(to.is_some())];
    // Without a port in the delegation, the records of what it names are the next step.
    if let Some(to) = to.filter(|to| to.port.is_none() && to.text != *name)
        && let Some(host) = to.dns().map(str::to_lowercase)
    {
        let records = look_up(cx, &host).await?;
        if records.any() {
            findings.push(records.judge(false).on(host));
        }
    }
    Ok(findings.into_iter().collect())
}

/// The records of a name.
struct Records {
    /// A lookup that had no usable answer.
    unanswered: Option<Lookup>,
    fed: Vec<Target>,
    old: Vec<Target>,
    lookups: [Lookup; 2],
}

async fn look_up(cx: &Cx, host: &str) -> Result<Records, Unavailable> {
    let (fed, old) = (format!("_matrix-fed._tcp.{host}"), format!("_matrix._tcp.{host}"));
    let (fed, old) =
        tokio::join!(cx.net().lookup(&fed, Kind::Srv), cx.net().lookup(&old, Kind::Srv));
    let silent =
        |lookup: &&Lookup| matches!(lookup.answer, Answer::Unanswered(_) | Answer::Refused(_));
    let unanswered = [&fed, &old].into_iter().find(silent).cloned();
    if unanswered.is_some() {
        // Where the name itself has no answer either, that is the trouble to report.
        cx.fact(Addresses { host: host.to_owned() }).await?;
    }
    let (fed_targets, old_targets) = tokio::join!(targets(cx, &fed), targets(cx, &old));
    Ok(Records { unanswered, fed: fed_targets, old: old_targets, lookups: [fed, old] })
}

impl Records {
    fn any(&self) -> bool {
        self.unanswered.is_some() || !(self.fed.is_empty() && self.old.is_empty())
    }

    fn judge(&self, delegated: bool) -> Finding {
        if let Some(lookup) = &self.unanswered {
            let finding = Finding::error(format!("no usable answer for {}", lookup.name));
            return finding.evidence(EvidenceKind::Dns, describe(lookup));
        }
        let finding = judge(&self.fed, &self.old, delegated);
        self.lookups
            .iter()
            .fold(finding, |finding, lookup| finding.evidence(EvidenceKind::Dns, describe(lookup)))
    }
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
