//! `kubernetes.events`

use std::collections::BTreeMap;

use mxdoctor_model::{Evidence, EvidenceKind, Finding};

use super::shared::{View, event_time, judge};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Nothing warns again and again about an object that is there.
    ///
    /// ## Why it matters
    /// Events say what no status holds: a volume that is attached elsewhere, a probe that fails now
    /// and then, a webhook that does not answer.
    ///
    /// ## What makes it fail
    /// Nothing: warnings of the last ten minutes that came three times or more are a warning, with
    /// their text. Events are kept for an hour, so that there are none proves nothing.
    ///
    /// ## How to fix it
    /// The text says; other checks name what they make of it.
    ///
    /// ## Where it comes from
    /// Kubernetes API reference, `events.k8s.io/v1`.
    "kubernetes.events" at C: "nothing warns again and again"
    causes ["warnings-repeated"]
    timeout 50
}

const NEEDS: &[&str] = &["Event"];
/// Seconds for which a warning is news.
const RECENT: i64 = 600;
/// Times that make it worth a word.
const OFTEN: i64 = 3;

async fn run(cx: &Cx) -> Verdict {
    judge(cx, CHECK.id, NEEDS, opinion).await
}

pub(super) fn opinion(view: &View<'_>) -> Vec<Finding> {
    let mut groups: BTreeMap<String, (i64, String)> = BTreeMap::new();
    for event in view.own("Event").filter(|event| event.node.str("type") == Some("Warning")) {
        let recent = view.ago(event_time(event)).is_some_and(|age| age < RECENT);
        let text = |path: &str| event.node.str(path).unwrap_or_default();
        let (kind, name) = (text("regarding.kind"), text("regarding.name"));
        let there = view.own(kind).any(|object| object.name() == name);
        if !recent || !there {
            continue;
        }
        let count = event.node.i64("series.count").or(event.node.i64("deprecatedCount"));
        let group = groups.entry(format!("{kind} {name} {}", text("reason"))).or_default();
        group.0 += count.unwrap_or(1);
        group.1 = mxdoctor_probes::kube::redact(text("note"));
    }
    let often = groups.into_iter().filter(|(_, (count, _))| *count >= OFTEN);
    often
        .take(20)
        .map(|(what, (count, note))| {
            let text = format!("{what}, {count} times: {note}");
            let evidence = Evidence::new(EvidenceKind::Manifest, text.clone());
            Finding::warn("warnings-repeated", text).on(what).evidences([evidence])
        })
        .collect()
}
