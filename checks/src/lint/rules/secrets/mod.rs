//! SEC: Secrets and SealedSecrets. No rule here shows a value.

mod ciphertext;
mod keys;
mod literal;
pub(super) mod near;
pub(super) mod others;
mod plain;
pub(super) mod references;
mod scope;
pub(super) mod unseal;

use crate::lint::Rule;

/// The rules of this family.
pub(super) const RULES: &[&Rule] = &[
    &plain::IN_PLAIN_TEXT,
    &references::NO_SECRET,
    &references::NO_KEY,
    &references::NO_FILE,
    &references::OPTIONAL,
    &scope::OTHER_NAME,
    &scope::RENAMED,
    &scope::TEMPLATE_ONLY,
    &ciphertext::NOT_SEALED,
    &scope::CLUSTER_WIDE,
    &keys::UNFIT,
    &ciphertext::OLD_FORM,
    &ciphertext::TWICE,
    &literal::LITERAL,
    &plain::SIGNING_KEY,
];
