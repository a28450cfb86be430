//! Which workloads have a label, and which Services may select a workload: to compare each with each
//! would take as long as the square of a large tree.

use std::collections::HashMap;

use super::{Service, Workload};

/// Positions of workloads and Services by a label and its value.
#[derive(Debug, Default)]
pub(super) struct Labels<'a> {
    workloads: HashMap<(&'a str, &'a str), Vec<usize>>,
    /// By the first label of their selectors.
    services: HashMap<(&'a str, &'a str), Vec<usize>>,
}

impl<'a> Labels<'a> {
    pub(super) fn new(workloads: &[Workload<'a>], services: &[Service<'a>]) -> Self {
        let mut labels = Self::default();
        for (at, workload) in workloads.iter().enumerate() {
            for entry in workload.labels {
                let key = (entry.key.as_str(), entry.node.scalar().unwrap_or_default());
                labels.workloads.entry(key).or_default().push(at);
            }
        }
        for (at, service) in services.iter().enumerate() {
            if let Some(entry) = service.object.node.map("spec.selector").first() {
                let key = (entry.key.as_str(), entry.node.scalar().unwrap_or_default());
                labels.services.entry(key).or_default().push(at);
            }
        }
        labels
    }

    /// The workloads that have one of the labels that a Service selects, the rarest.
    pub(super) fn workloads(&self, service: &Service<'a>) -> Vec<usize> {
        let selector = service.object.node.map("spec.selector").iter();
        let with = selector.map(|entry| {
            let key = (entry.key.as_str(), entry.node.scalar().unwrap_or_default());
            self.workloads.get(&key).map_or(&[][..], Vec::as_slice)
        });
        let mut rarest = with.min_by_key(|with| with.len()).unwrap_or_default().to_vec();
        // A label that stands twice in one template.
        rarest.dedup();
        rarest
    }

    /// The Services of which the first label is one of a workload's, in their order.
    pub(super) fn services(&self, workload: &Workload<'a>) -> Vec<usize> {
        let keys = workload.labels.iter();
        let keys = keys.map(|it| (it.key.as_str(), it.node.scalar().unwrap_or_default()));
        let mut all: Vec<usize> =
            keys.filter_map(|key| self.services.get(&key)).flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}
