//! `synapse.software`.

use mxdoctor_model::{Evidence, EvidenceKind, Finding};

use crate::facts::{Release, SYNAPSE_ADVISORIES, ServerSoftware, Software, Written, as_written};
use crate::{Cx, Verdict, check};

check! {
    /// The homeserver runs the version that was written down, and none with an urgent weakness.
    ///
    /// ## What it asserts
    /// The version that the homeserver says of itself (`/_matrix/federation/v1/version`, else its
    /// `Server` header) is the one of `expect.synapse_version`, where that is given, else that of
    /// the image tag in the namespace, where that is looked at. For Synapse it is not one with a
    /// published weakness by which somebody without an account there can do serious harm. Lesser
    /// weaknesses are named in the result and do not change it.
    ///
    /// ## Why it matters
    /// A deployment that still runs yesterday's image after a change of the manifests has not been
    /// deployed. A homeserver is exposed to every other server of the federation.
    ///
    /// ## What makes it fail
    /// Another version than the one expected. A known urgent weakness is a warning. The table of
    /// weaknesses is small, dated and part of mxdoctor: what it does not list is not thereby safe.
    ///
    /// ## How to fix it
    /// Set the image tag in `apps/base/matrix/components/synapse.yaml` and wait for the rollout:
    /// `kubectl -n app-matrix rollout status deploy/synapse`.
    ///
    /// ## Where it comes from
    /// Matrix server-server API, "Retrieving server version"; the project's security advisories.
    "synapse.software" at PC: "the homeserver's version is as written, not known as vulnerable"
    causes ["version-differs", "homeserver-vulnerable"]
    timeout 40
}

async fn run(cx: &Cx) -> Verdict {
    let software = cx.fact(Software).await?;
    let written = cx.fact(Written).await?;
    Ok(judge(&software, written.synapse.as_deref()).into())
}

fn judge(software: &ServerSoftware, expected: Option<&str>) -> Finding {
    let ServerSoftware { name, version, source } = software;
    let said = Evidence::new(EvidenceKind::Request, format!("{source} says {name} {version}"));
    if let Some(expected) = expected
        && !(software.is_synapse() && as_written(version, expected))
    {
        return Finding::fail(
            "version-differs",
            format!("{name} {version} runs where Synapse {expected} was written down"),
        )
        .expected(format!("Synapse {expected}"))
        .actual(format!("{name} {version}"))
        .evidences([said]);
    }
    let release = Release::parse(version).filter(|_| software.is_synapse());
    let known: Vec<_> =
        SYNAPSE_ADVISORIES.iter().filter(|one| release.is_some_and(|r| one.concerns(r))).collect();
    let notes = known.iter().map(|advisory| Evidence::note(advisory.to_string()));
    let finding = match known.iter().find(|advisory| advisory.urgent) {
        Some(worst) => Finding::warn(
            "homeserver-vulnerable",
            format!("{name} {version} has a known weakness that strangers can use"),
        )
        .expected(format!("{} or newer", known[0].fixed))
        .actual(format!("{version}: {worst}")),
        None if known.is_empty() => Finding::pass(format!("{name} {version}")),
        None => Finding::pass(format!(
            "{name} {version}; {} known lesser {}, fixed in {}",
            known.len(),
            if known.len() == 1 { "weakness" } else { "weaknesses" },
            known[0].fixed
        )),
    };
    finding.evidences([said]).evidences(notes)
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;

    fn judged(name: &str, version: &str, expected: Option<&str>) -> Finding {
        let software =
            ServerSoftware { name: name.into(), version: version.into(), source: "a test" };
        judge(&software, expected)
    }

    #[test]
    fn what_was_written_must_run() {
        assert_eq!(judged("Synapse", "1.147.0", Some("v1.147.0")).outcome, Outcome::Pass);
        assert_eq!(judged("Synapse", "1.146.0", Some("1.147.0")).cause, Some("version-differs"));
        assert_eq!(judged("Dendrite", "1.147.0", Some("1.147.0")).cause, Some("version-differs"));
    }

    #[test]
    fn only_urgent_weaknesses_of_synapse_are_warned_of() {
        assert_eq!(judged("Synapse", "1.147.0", None).outcome, Outcome::Pass);
        assert_eq!(judged("Synapse", "1.147.0", None).evidence.len(), 3);
        assert_eq!(judged("Synapse", "1.120.0", None).cause, Some("homeserver-vulnerable"));
        assert_eq!(judged("Synapse", "1.152.1", None).evidence.len(), 1);
        assert_eq!(judged("conduwuit", "0.5.0", None).outcome, Outcome::Pass);
        assert_eq!(judged("Synapse", "develop", None).outcome, Outcome::Pass);
    }
}
