//! `kubernetes.sealed_secrets`

use mxdoctor_model::Finding;
use mxdoctor_probes::kube::SecretUse;
use mxdoctor_probes::manifest::Object;

use super::shared::{View, condition, judge, not_to_be_judged};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The controller has unsealed each SealedSecret, and the Secret is there.
    ///
    /// ## Why it matters
    /// A SealedSecret is bound to its name and namespace and to one controller's key. What cannot
    /// be unsealed leaves pods without their Secret, or with an old one.
    ///
    /// ## What makes it fail
    /// `Synced=False`; no condition at all after a minute; a Secret that is gone although it was
    /// unsealed. Where none of them can be decrypted any more, it is the controller's key.
    ///
    /// ## How to fix it
    /// Seal again for this name and namespace with `kubeseal --controller-namespace flux-system`,
    /// or restore the controller's keys from their backup.
    ///
    /// ## Where it comes from
    /// The sources of sealed-secrets, `pkg/controller`.
    "kubernetes.sealed_secrets" at C: "each SealedSecret is unsealed"
    causes [
        "sealed-secret-not-decrypted",
        "sealed-secrets-key-lost",
        "sealed-secret-unmanaged",
        "sealed-secret-not-seen",
        "sealed-secret-refused",
        "secret-missing",
        "object-stuck-deleting",
        "status-not-observed",
    ]
    timeout 50
}

const NEEDS: &[&str] = &["SealedSecret"];

async fn run(cx: &Cx) -> Verdict {
    judge(cx, CHECK.id, NEEDS, opinion).await
}

pub(super) fn opinion(view: &View<'_>) -> Vec<Finding> {
    let all: Vec<&Object> = view.own("SealedSecret").collect();
    let undecrypted = all.iter().filter(|one| state(one) == State::NotDecrypted).count();
    // One that cannot be read may be of another place; that none can is the key.
    let key_lost = undecrypted > 1 && undecrypted == all.len();
    all.into_iter()
        .filter_map(|one| not_to_be_judged(view, one).or_else(|| look(view, one, key_lost)))
        .collect()
}

#[derive(PartialEq, Eq)]
enum State {
    Unsealed,
    NotDecrypted,
    Unmanaged,
    Other,
    Unseen,
}

fn state(sealed: &Object) -> State {
    match condition(sealed, "Synced") {
        None => State::Unseen,
        Some(synced) if synced.status != "False" => State::Unsealed,
        Some(synced) if synced.message.contains("no key could decrypt") => State::NotDecrypted,
        Some(synced) if synced.message.contains("not managed by SealedSecret") => State::Unmanaged,
        Some(_) => State::Other,
    }
}

fn look(view: &View<'_>, sealed: &Object, key_lost: bool) -> Option<Finding> {
    let said = condition(sealed, "Synced").map(|c| c.message).unwrap_or_default();
    let finding = match state(sealed) {
        State::Unsealed => {
            let gone = view.snapshot.secrets.get(sealed.name()) == Some(&SecretUse::Absent);
            gone.then(|| {
                let text = format!("{sealed} was unsealed, and Secret {} is gone", sealed.name());
                Finding::fail("secret-missing", text)
            })?
        }
        State::NotDecrypted if key_lost => Finding::fail(
            "sealed-secrets-key-lost",
            format!("{sealed} cannot be decrypted, and neither can any other"),
        )
        .likely(),
        State::NotDecrypted => Finding::fail(
            "sealed-secret-not-decrypted",
            format!(
                "{sealed} cannot be decrypted: it is sealed for another name, namespace or key"
            ),
        ),
        State::Unmanaged => Finding::fail(
            "sealed-secret-unmanaged",
            format!("Secret {} was there before {sealed} and is left as it is", sealed.name()),
        ),
        State::Other => {
            Finding::fail("sealed-secret-refused", format!("{sealed} is not unsealed: {said}"))
        }
        State::Unseen if view.settled(sealed) => {
            Finding::fail("sealed-secret-not-seen", format!("no controller has looked at {sealed}"))
                .likely()
        }
        State::Unseen => return None,
    };
    let finding = finding.on(sealed.to_string());
    Some(if said.is_empty() { finding } else { finding.actual(said) })
}
