//! `kubernetes.certificates`

use jiff::{SignedDuration, Timestamp};
use mxdoctor_model::{Evidence, EvidenceKind, Finding};
use mxdoctor_probes::manifest::Object;

use super::shared::{View, condition, is_stale, judge, not_to_be_judged, unseen};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// cert-manager has issued each Certificate, its time is not near its end, and it is renewed
    /// when it should be.
    ///
    /// ## Why it matters
    /// A certificate that is not renewed works until the day it ends. cert-manager waits longer
    /// after each failure, up to 32 hours, so a mended issuer changes nothing for long.
    ///
    /// ## What makes it fail
    /// `Ready=False`, an end that is less than three days away, a renewal that is overdue by more
    /// than an hour, an issuance that has been under way for more than an hour. The way is followed
    /// to the CertificateRequest, the Issuer or ClusterIssuer, the Order and the Challenge, and the
    /// deepest of them that fails is named, with the time of the next try.
    ///
    /// ## How to fix it
    /// Mend what is named, and then `cmctl renew NAME`, or delete the failed CertificateRequest.
    ///
    /// ## Where it comes from
    /// The sources of cert-manager: `pkg/controller/certificates`, back-off of an hour times two to
    /// the power of the failures before the last, at most 32 hours.
    "kubernetes.certificates" at C: "cert-manager issues and renews each certificate"
    causes [
        "certificate-issuer-missing",
        "certificate-issuer-broken",
        "certificate-not-issued",
        "certificate-renewal-overdue",
        "certificate-expired",
        "certificate-expiring",
        "object-stuck-deleting",
        "status-not-observed",
    ]
    timeout 50
}

const NEEDS: &[&str] = &["Certificate", "CertificateRequest", "Issuer", "Order", "Challenge"];
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

async fn run(cx: &Cx) -> Verdict {
    judge(cx, CHECK.id, NEEDS, opinion).await
}

pub(super) fn opinion(view: &View<'_>) -> Vec<Finding> {
    view.own("Certificate")
        .filter_map(|one| not_to_be_judged(view, one).or_else(|| look(view, one)))
        .collect()
}

fn look(view: &View<'_>, certificate: &Object) -> Option<Finding> {
    let ready = condition(certificate, "Ready").filter(|_| !is_stale(certificate));
    let issuing = condition(certificate, "Issuing");
    let under_way = issuing.as_ref().filter(|c| c.status == "True");
    let patient = under_way.is_some_and(|c| view.ago(c.since).is_none_or(|age| age < HOUR));
    let on = |finding: Finding| {
        let finding = match (finding.cause, certificate.node.str("spec.issuerRef.name")) {
            (Some("certificate-issuer-broken"), Some(name)) => {
                let kind = certificate.node.str("spec.issuerRef.kind").unwrap_or("Issuer");
                let place = match kind {
                    "Issuer" => format!("-n {} ", view.snapshot.namespace),
                    _ => String::new(),
                };
                let kind = kind.to_lowercase();
                finding.remedy(format!("`kubectl {place}describe {kind} {name}`"))
            }
            _ => finding,
        };
        let finding = finding.on(certificate.to_string());
        let finding = finding.evidences(next_try(certificate));
        Some(finding.evidences(chain(view, certificate)))
    };
    let left = certificate
        .node
        .str("status.notAfter")
        .and_then(|time| time.parse::<Timestamp>().ok())
        .map(|end| end.as_second() - view.now.as_second());
    if let Some(left) = left.filter(|left| *left < 3 * DAY) {
        let (cause, text) = if left <= 0 {
            ("certificate-expired", format!("the certificate of {certificate} has ended"))
        } else {
            let hours = left / HOUR;
            ("certificate-expiring", format!("the certificate of {certificate} ends in {hours} h"))
        };
        let cause = root(view, certificate).map_or(cause, |(cause, _)| cause);
        return on(Finding::fail(cause, text));
    }
    match &ready {
        Some(ready) if ready.status == "False" => {
            let root = root(view, certificate);
            // A new one takes minutes; an issuer that is not there takes for ever.
            if root.is_none() && (patient || !view.settled(certificate)) {
                return None;
            }
            let (cause, why) =
                root.unwrap_or_else(|| ("certificate-not-issued", ready.message.to_owned()));
            let text = format!("{certificate} is not ready ({}): {why}", ready.reason);
            return on(Finding::fail(cause, text));
        }
        None if view.settled(certificate) => {
            let text = format!("cert-manager has said nothing of {certificate} yet");
            return on(Finding::fail("certificate-not-issued", text).likely());
        }
        _ => {}
    }
    let overdue = view.ago(certificate.node.str("status.renewalTime"))?;
    if overdue > HOUR && !patient {
        let (cause, why) = root(view, certificate).unwrap_or((
            "certificate-renewal-overdue",
            "cert-manager does not renew it".to_owned(),
        ));
        let text =
            format!("the renewal of {certificate} is overdue by {} h: {why}", overdue / HOUR);
        return on(Finding::fail(cause, text));
    }
    None
}

/// When cert-manager tries again: `lastFailureTime` and an hour, doubled with each failure.
fn next_try(certificate: &Object) -> Option<Evidence> {
    let failures = certificate.node.i64("status.failedIssuanceAttempts").filter(|n| *n > 0)?;
    let last: Timestamp = certificate.node.str("status.lastFailureTime")?.parse().ok()?;
    let wait = 1_i64 << (failures - 1).min(5);
    let next = last.checked_add(SignedDuration::from_hours(wait)).ok()?;
    let text =
        format!("{failures} failures, the last at {last}; cert-manager tries again at {next}");
    Some(Evidence::note(text))
}

/// The newest request of a Certificate.
fn request<'a>(view: &View<'a>, certificate: &Object) -> Option<&'a Object> {
    let of = |request: &&Object| {
        let key = "cert-manager.io/certificate-name";
        let label = request.labels().iter().find(|entry| entry.key == key);
        let named = request.annotation(key).or(label.map(|entry| &entry.node));
        named.and_then(|node| node.as_str()) == Some(certificate.name())
    };
    let made =
        |request: &&Object| request.node.str("metadata.creationTimestamp").map(str::to_owned);
    view.own("CertificateRequest").filter(of).max_by_key(made)
}

/// The deepest thing that keeps a Certificate from being issued.
fn root(view: &View<'_>, certificate: &Object) -> Option<(&'static str, String)> {
    let kind = certificate.node.str("spec.issuerRef.kind").unwrap_or("Issuer");
    let name = certificate.node.str("spec.issuerRef.name")?;
    let ours = certificate.node.str("spec.issuerRef.group").is_none_or(|g| g == "cert-manager.io");
    let known = ["Issuer", "ClusterIssuer"].contains(&kind) && ours;
    if known && unseen(view.snapshot, &[kind]).is_none() {
        let found = match kind {
            "Issuer" => view.own(kind).find(|one| one.name() == name),
            _ => view.all(kind).find(|one| one.name() == name),
        };
        let Some(issuer) = found else {
            return Some(("certificate-issuer-missing", format!("there is no {kind} {name}")));
        };
        if let Some(ready) = condition(issuer, "Ready").filter(|c| c.status == "False") {
            let text = format!("{issuer} is not ready ({}): {}", ready.reason, ready.message);
            return Some(("certificate-issuer-broken", text));
        }
    }
    let request = request(view, certificate)?;
    let ready = condition(request, "Ready")?;
    if ready.message.contains("not found") && ready.message.contains("Referenced") {
        return Some(("certificate-issuer-missing", ready.message.to_owned()));
    }
    (ready.reason == "Failed" || ready.reason == "Denied")
        .then(|| ("certificate-not-issued", format!("{request}: {}", ready.message)))
}

/// What stands on the way, as evidence.
fn chain(view: &View<'_>, certificate: &Object) -> Vec<Evidence> {
    let mut all = Vec::new();
    let note = |text: String| Evidence::new(EvidenceKind::Manifest, text);
    if let Some(request) = request(view, certificate) {
        // One that was granted is of the certificate before.
        if let Some(ready) = condition(request, "Ready").filter(|c| c.status != "True") {
            all.push(note(format!("{request}: {}: {}", ready.reason, ready.message)));
        }
        let owned = |object: &&Object| {
            let owners = object.node.list("metadata.ownerReferences").iter();
            owners.filter_map(|owner| owner.str("name")).any(|name| name == request.name())
        };
        for order in view.own("Order").filter(owned) {
            let state = order.node.str("status.state").unwrap_or("unknown");
            all.push(note(format!("{order}: {state}")));
            for challenge in view.own("Challenge") {
                let state = challenge.node.str("status.state").unwrap_or("unknown");
                let reason = challenge.node.str("status.reason").unwrap_or_default();
                all.push(note(format!("{challenge}: {state} {reason}")));
            }
        }
    }
    all.truncate(8);
    all
}
