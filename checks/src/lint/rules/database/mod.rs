//! DB: the Cluster of CloudNativePG.

mod backup;
mod cluster;
mod instances;
mod resources;
mod storage;
mod version;

use crate::lint::Rule;

/// The rules of this family.
pub(super) const RULES: &[&Rule] = &[
    &backup::NONE,
    &instances::ONE,
    &storage::SIZE,
    &storage::REPLICAS,
    &storage::SHARED_WITH_WAL,
    &version::LOCALE,
    &version::UNFIT,
    &version::MAJOR_CHANGE,
    &resources::UNSET,
    &backup::FIVE_FIELDS,
    &backup::IN_TREE,
    &backup::SAME_CLUSTER,
    &instances::UNATTENDED,
];
