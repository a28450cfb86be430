//! What one vantage leaves open and another one settles.

use std::collections::HashSet;

use mxdoctor_model::{CheckReport, Confidence, Evidence, Outcome, RootCause, Vantage};

use super::Group;

/// Causes that silence over UDP is put down to.
const SILENCE: &[&str] = &["udp-blocked", "bridge-port-unusual"];

/// Silence from one vantage and an answer at another one: the bridge and its port work, so what
/// is in between is to blame, and nothing else is conceivable.
pub(super) fn settle(cause: &mut RootCause, group: &Group, checks: &[CheckReport]) {
    if !SILENCE.contains(&cause.cause.as_str()) {
        return;
    }
    let silent: HashSet<Vantage> =
        group.seen_by.iter().map(|&index| checks[index].vantage).collect();
    let passes = |id: &str, vantage: Vantage| {
        let is = |check: &&CheckReport| check.id == id && check.vantage == vantage;
        checks.iter().filter(is).any(|check| check.outcome == Outcome::Pass)
    };
    let answers = |vantage: &&Vantage| !silent.contains(*vantage) && passes("jitsi.udp", **vantage);
    let Some(&elsewhere) = Vantage::ALL.iter().find(answers) else { return };
    let how_far = if passes("jitsi.media", elsewhere) {
        "sound flows through the bridge"
    } else if passes("jitsi.dtls", elsewhere) {
        "the bridge answers, up to DTLS"
    } else {
        "the bridge answers"
    };
    let here: Vec<&str> = silent.iter().map(|vantage| vantage.as_str()).collect();
    cause.confidence = Confidence::Certain;
    cause.summary = format!(
        "{}; from the {elsewhere} vantage {how_far}: a firewall or NAT in between is to blame",
        cause.summary
    );
    cause.evidence.push(Evidence::note(format!(
        "jitsi.udp: silence from the {} vantage, an answer from the {elsewhere} vantage",
        here.join(" and the ")
    )));
}
