//! What the checks of a namespace have in common.

use jiff::Timestamp;
use mxdoctor_model::{Evidence, EvidenceKind, Finding, Outcome};
use mxdoctor_probes::kube::{self, Outcome as ListOutcome, Snapshot, missing_right};
use mxdoctor_probes::manifest::{Node, Object};

use super::footing::Footing;
use crate::facts::{Cluster, Namespace};
use crate::lint::{Problem, Severity, Stack, rules};
use crate::{Cx, Findings, Verdict};

/// Seconds after which something that should be quick is stuck.
pub(super) const SOON: i64 = 60;

/// What an opinion is formed on.
pub(crate) struct View<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) stack: Stack<'a>,
    /// When the snapshot was taken.
    pub(crate) now: Timestamp,
}

/// A condition of an object's status.
pub(crate) struct Condition<'a> {
    pub(crate) status: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) message: &'a str,
    pub(crate) since: Option<&'a str>,
}

/// The skip of a run that was told of no cluster.
pub(crate) fn absent() -> Finding {
    Finding::skip(
        "there is no [kubernetes] in stack.toml, and this is no pod: nothing tells how to ask an \
         API server",
    )
}

impl<'a> View<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot) -> Self {
        let now = Timestamp::try_from(snapshot.taken).unwrap_or(Timestamp::UNIX_EPOCH);
        Self { snapshot, stack: Stack::new(&snapshot.inventory), now }
    }

    /// The objects of a kind in the stack's namespace.
    pub(crate) fn own(&self, kind: &str) -> impl Iterator<Item = &'a Object> + use<'a> {
        let snapshot = self.snapshot;
        let kind = kind.to_owned();
        let here = move |object: &&Object| {
            object.kind() == kind && object.namespace() == Some(snapshot.namespace.as_str())
        };
        snapshot.inventory.objects().iter().filter(here)
    }

    /// The objects of a kind, wherever they are.
    pub(crate) fn all(&self, kind: &str) -> impl Iterator<Item = &'a Object> + use<'a> {
        let kind = kind.to_owned();
        self.snapshot.inventory.objects().iter().filter(move |object| object.kind() == kind)
    }

    /// How many seconds ago a time was; none of what is no time.
    pub(crate) fn ago(&self, time: Option<&str>) -> Option<i64> {
        let time: Timestamp = time?.parse().ok()?;
        Some(self.now.as_second() - time.as_second())
    }

    /// Whether an object is old enough to be judged.
    pub(crate) fn settled(&self, object: &Object) -> bool {
        let age = self.ago(object.node.str("metadata.creationTimestamp"));
        age.is_none_or(|age| age > SOON)
    }

    /// Messages of warnings about an object, the newest first.
    pub(crate) fn warnings(&self, kind: &str, name: &str) -> Vec<(&'a str, &'a str)> {
        let mut found: Vec<_> = self
            .own("Event")
            .filter(|event| event.node.str("type") == Some("Warning"))
            .filter(|event| {
                event.node.str("regarding.kind") == Some(kind)
                    && event.node.str("regarding.name") == Some(name)
            })
            .map(|event| (event_time(event), event))
            .collect();
        found.sort_by(|one, other| other.0.cmp(&one.0));
        let text = |event: &'a Object, key: &str| event.node.str(key).unwrap_or_default();
        found.into_iter().map(|(_, event)| (text(event, "reason"), text(event, "note"))).collect()
    }
}

/// When an event was last seen.
pub(super) fn event_time(event: &Object) -> Option<&str> {
    let times = ["series.lastObservedTime", "deprecatedLastTimestamp", "eventTime"];
    times.into_iter().find_map(|path| event.node.str(path))
}

/// A condition of an object.
pub(crate) fn condition<'a>(object: &'a Object, kind: &str) -> Option<Condition<'a>> {
    let conditions = object.node.list("status.conditions").iter();
    let found = conditions.rev().find(|one| one.str("type") == Some(kind))?;
    let text = |key: &str| found.str(key).unwrap_or_default();
    Some(Condition {
        status: text("status"),
        reason: text("reason"),
        message: text("message"),
        since: found.str("lastTransitionTime"),
    })
}

/// Whether the controller has seen the object as it is now.
pub(super) fn is_stale(object: &Object) -> bool {
    let generation = object.node.i64("metadata.generation");
    let observed = object.node.i64("status.observedGeneration");
    matches!((generation, observed), (Some(generation), Some(observed)) if observed < generation)
}

/// What is to be said of an object before its status: that it is being deleted, or that its status
/// is of an earlier time. Nothing of either is a failure while it is young.
pub(super) fn not_to_be_judged(view: &View<'_>, object: &Object) -> Option<Finding> {
    if let Some(age) = view.ago(object.node.str("metadata.deletionTimestamp")) {
        let holders: Vec<&str> =
            object.node.list("metadata.finalizers").iter().filter_map(Node::as_str).collect();
        let finding = if age > SOON {
            let held = if holders.is_empty() {
                "nothing names what holds it".to_owned()
            } else {
                format!("held by {}", holders.join(", "))
            };
            Finding::fail(
                "object-stuck-deleting",
                format!("{object} has been being deleted for {age} s, {held}"),
            )
        } else {
            Finding::skip(format!("{object} is being deleted"))
        };
        return Some(finding.on(object.to_string()).transient());
    }
    is_stale(object).then(|| {
        let text = format!("the controller of {object} has not seen its last change yet");
        Finding::warn("status-not-observed", format!("{text}: its status is of an earlier time"))
            .on(object.to_string())
            .expected("status.observedGeneration as metadata.generation")
            .transient()
    })
}

/// A field of an object as evidence.
pub(super) fn field(object: &Object, path: &str) -> Evidence {
    let value = object.at(path).and_then(Node::scalar).unwrap_or("absent");
    Evidence::new(EvidenceKind::Manifest, format!("{object} {path}: {value}"))
}

/// Forms the opinion of a check on the namespace: of its status, and of the rules that belong to
/// the check. Without the kinds that it needs it is a skip that names what may not be seen.
pub(crate) async fn judge(
    cx: &Cx,
    id: &'static str,
    needs: &[&str],
    opinion: fn(&View<'_>) -> Vec<Finding>,
) -> Verdict {
    if cx.target().kubernetes.is_none() {
        return Ok(absent().into());
    }
    let namespace = cx.fact(Cluster).await?;
    Ok(look(&namespace, id, needs, opinion))
}

/// The same without a run.
pub(super) fn look(
    namespace: &Namespace,
    id: &'static str,
    needs: &[&str],
    opinion: fn(&View<'_>) -> Vec<Finding>,
) -> Findings {
    if let Some(unseen) = unseen(&namespace.snapshot, needs) {
        return unseen.into();
    }
    let view = View::new(&namespace.snapshot);
    let mut findings = opinion(&view);
    if rules::all().any(|rule| rule.check == id) {
        match unseen(&namespace.snapshot, &related()) {
            None => add(&mut findings, of_rules(&namespace.problems, id)),
            Some(unseen) => findings.push(Finding {
                summary: format!("how objects fit together is not judged: {}", unseen.summary),
                ..unseen.on("rules")
            }),
        }
    }
    if findings.is_empty() {
        let served = needs.iter().map(|kind| view.all(kind).count()).sum::<usize>();
        let what = needs.join(", ");
        findings.push(Finding::pass(match served {
            0 => format!("there is nothing to object to: no {what}"),
            1 => format!("one object is as it should be ({what})"),
            count => format!("{count} objects are as they should be ({what})"),
        }));
    }
    if findings.iter().any(|finding| matches!(finding.outcome, Outcome::Fail | Outcome::Error)) {
        let footing = Footing::new(&view);
        findings.iter_mut().for_each(|finding| footing.tell(id, finding));
    }
    findings.into_iter().collect()
}

/// Adds what the rules found; what the status of the same object says already is its evidence.
fn add(findings: &mut Vec<Finding>, of_rules: Vec<Finding>) {
    let own = findings.len();
    for found in of_rules {
        let object = |finding: &Finding| {
            let instance = finding.instance.clone().unwrap_or_default();
            instance.split(' ').take(2).collect::<Vec<_>>().join(" ")
        };
        let known = findings[..own].iter_mut().find(|known| {
            known.cause == found.cause
                && known.outcome == found.outcome
                && object(known) == object(&found)
        });
        match known {
            Some(known) => known.evidence.extend(found.evidence),
            None => findings.push(found),
        }
    }
}

/// Kinds that no rule looks at.
const UNRELATED: &[&str] = &[
    "Backup",
    "CertificateRequest",
    "Challenge",
    "CustomResourceDefinition",
    "EndpointSlice",
    "Event",
    "Job",
    "LimitRange",
    "Node",
    "Order",
    "PersistentVolume",
    "ReplicaSet",
    "ResourceQuota",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
];

/// Kinds without which a rule takes for absent what is only not seen.
fn related() -> Vec<&'static str> {
    let all = kube::KINDS.iter().filter(|kind| kind.reach != kube::Reach::Operators);
    all.map(|kind| kind.kind).filter(|kind| !UNRELATED.contains(kind)).collect()
}

/// Why the kinds cannot be judged: one may not be listed, or not completely.
pub(crate) fn unseen(snapshot: &Snapshot, needs: &[&str]) -> Option<Finding> {
    needs.iter().find_map(|name| {
        let kind = kube::kind(name)?;
        match snapshot.outcome(name)? {
            ListOutcome::Forbidden(_) => {
                let place = (kind.reach == kube::Reach::Namespace).then_some(&*snapshot.namespace);
                Some(Finding::skip(format!(
                    "{} may not be listed; missing rule: {}",
                    kind.resource,
                    missing_right(kind, place)
                )))
            }
            ListOutcome::Failed(error) => {
                Some(Finding::error(format!("{} were not listed: {error}", kind.resource)))
            }
            ListOutcome::Listed { whole: false, count } => Some(Finding::error(format!(
                "there are more than {count} {}: what is not seen is not judged",
                kind.resource
            ))),
            ListOutcome::Listed { .. } | ListOutcome::NotServed => None,
        }
    })
}

/// What the rules of a check found, one finding for each rule and object.
fn of_rules(problems: &[Problem], id: &str) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for problem in problems.iter().filter(|problem| problem.rule.check == id) {
        let instance = format!("{} {}", problem.object, problem.rule.id).trim().to_owned();
        let place = Evidence::new(EvidenceKind::Manifest, problem.place.to_string());
        if let Some(known) =
            findings.iter_mut().find(|known| known.instance.as_deref() == Some(&*instance))
        {
            known.evidence.push(Evidence::note(problem.message.clone()));
            known.evidence.push(place);
            continue;
        }
        let (cause, message) = (problem.rule.cause, problem.message.clone());
        let finding = match problem.rule.severity {
            Severity::Critical | Severity::Error => Finding::fail(cause, message),
            Severity::Warning => Finding::warn(cause, message),
            // Nothing is unmeasured in what an API server gave.
            Severity::Info | Severity::Unmeasured => continue,
        };
        let also = problem.also.iter().map(|(place, shows)| {
            Evidence::new(EvidenceKind::Manifest, format!("{place}: {shows}"))
        });
        let remedy = problem.remedy.clone().unwrap_or_else(|| problem.rule.remedy.to_owned());
        findings.push(
            finding.on(instance).remedy(remedy).evidences([place]).evidences(also).evidence(
                EvidenceKind::Note,
                format!("{}: {}", problem.rule.id, problem.rule.breaks),
            ),
        );
    }
    findings
}
