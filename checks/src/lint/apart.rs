//! Several stacks in one tree, each in a namespace of its own: staging beside production.
//!
//! What belongs together is found by names, and namesakes in another namespace would be taken for
//! it. So each namespace is looked at alone, with whatever is in none of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mxdoctor_probes::manifest::{Inventory, Object, Origin};

use super::Problem;
use super::view::Workload;

/// The images, by the last part of their names, of which a stack has one workload.
const PARTS: &[&str] = &["synapse", "element-web", "prosody", "jicofo", "web"];

/// The most objects that the stacks may come to, those that they share counted for each.
const MAX_OBJECTS: usize = 50_000;

/// The stacks of an inventory that has several.
pub(super) struct Apart<'a> {
    whole: &'a Inventory,
    namespaces: BTreeSet<&'a str>,
}

impl<'a> Apart<'a> {
    /// None where no part of a stack is there in two namespaces.
    pub(super) fn new(whole: &'a Inventory) -> Option<Self> {
        if whole.origin != Origin::Files {
            return None;
        }
        let mut places: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let workloads = whole.objects().iter().filter_map(Workload::new);
        for workload in workloads.filter(|workload| !workload.runs_once()) {
            let Some(namespace) = workload.object.namespace() else { continue };
            for part in workload.main().filter_map(|container| part(container.image()?.repository))
            {
                places.entry(part).or_default().insert(namespace);
            }
        }
        let several = places.values().any(|namespaces| namespaces.len() > 1);
        let namespaces: BTreeSet<&str> = places.into_values().flatten().collect();
        let own = |object: &&Object| object.namespace().is_some_and(|it| namespaces.contains(it));
        let shared = whole.objects().len() - whole.objects().iter().filter(own).count();
        let all = whole.objects().len().saturating_add(shared.saturating_mul(namespaces.len()));
        (several && all <= MAX_OBJECTS).then_some(Self { whole, namespaces })
    }

    /// What is found in the stacks. Of what they share, only what is found with each of them: with
    /// one of them alone it may seem to lack what another has.
    pub(super) fn look(&self, look: impl Fn(&Inventory) -> Vec<Problem>) -> Vec<Problem> {
        let owners = self.owners();
        let mut all = Vec::new();
        let mut shared: HashMap<(&str, String, String), (usize, Problem)> = HashMap::new();
        for part in self.parts() {
            for problem in look(&part) {
                if owners.has(&problem) {
                    all.push(problem);
                    continue;
                }
                let place = problem.place.to_string();
                let key = (problem.rule.id, place, problem.message.clone());
                shared.entry(key).or_insert((0, problem)).0 += 1;
            }
        }
        let each = shared.into_values().filter(|(times, _)| *times >= self.namespaces.len());
        all.extend(each.map(|(_, problem)| problem));
        all
    }

    fn parts(&self) -> impl Iterator<Item = Inventory> {
        let mut own: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut shared = Vec::new();
        for (index, object) in self.whole.objects().iter().enumerate() {
            match object.namespace().filter(|it| self.namespaces.contains(it)) {
                Some(namespace) => own.entry(namespace).or_default().push(index),
                None => shared.push(index),
            }
        }
        own.into_values().map(move |own| {
            let mut indices = [own, shared.clone()].concat();
            indices.sort_unstable();
            self.whole.only(&indices)
        })
    }

    /// Where the objects begin, and whether each is in one of the namespaces.
    fn owners(&self) -> Owners<'a> {
        let mut owners = Owners(HashMap::new());
        for object in self.whole.objects() {
            let own = object.namespace().is_some_and(|it| self.namespaces.contains(it));
            let start = &object.node.place;
            owners.0.entry(&start.source.name).or_default().insert(start.line, own);
        }
        owners
    }
}

/// By source and line.
struct Owners<'a>(HashMap<&'a str, BTreeMap<u32, bool>>);

impl Owners<'_> {
    fn has(&self, problem: &Problem) -> bool {
        let source = self.0.get(problem.place.source.name.as_str());
        source
            .and_then(|lines| lines.range(..=problem.place.line).next_back())
            .is_some_and(|(_, own)| *own)
    }
}

/// The part of a stack that an image is.
fn part(repository: &str) -> Option<&'static str> {
    let (above, name) = repository.rsplit_once('/').unwrap_or(("", repository));
    // Many an image is called `web`.
    let known = name != "web" || above.ends_with("jitsi");
    PARTS.iter().copied().find(|part| known && *part == name)
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{inventory, synapse};

    fn in_namespace(name: &str, text: &str) -> String {
        text.replace("metadata:\n  name", &format!("metadata:\n  namespace: {name}\n  name"))
    }

    fn looked(text: &str) -> Vec<String> {
        let problems = crate::lint::run(&inventory(text));
        problems.iter().map(|it| format!("{} {}", it.rule.id, it.message)).collect()
    }

    const CLUSTER: &str = "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata:\n  name: \
                           db\nspec:\n  instances: 1\n";

    #[test]
    fn namesakes_of_another_namespace_are_no_part_of_a_stack() {
        let stack = |namespace: &str| {
            let host = format!(
                "server_name: a.example\ndatabase:\n  name: psycopg2\n  args: {{host: \
                 db-rw.{namespace}.svc}}"
            );
            let texts =
                [in_namespace(namespace, &synapse(&host)), in_namespace(namespace, CLUSTER)];
            texts.join("---\n")
        };
        let both = looked(&[stack("one"), stack("two")].join("---\n"));
        assert!(!both.iter().any(|said| said.starts_with("SYN-20")), "{both:#?}");
        let [one, two] = ["one", "two"].map(|name| looked(&stack(name)).len());
        assert_eq!(both.len(), one + two, "{both:#?}");
    }
}
