//! Names in fields of objects, after the objects that they mean were given other names.
//!
//! Source: `nameReference` of kustomize's defaults (`api/internal/konfig/builtinpluginconsts`) and
//! `api/filters/nameref`. Custom kinds are not among them.

use std::collections::{HashMap, HashSet};

use crate::manifest::{Node, Place, Value};

use super::build::Build;
use super::edit;
use super::fields::Field;
use super::resource::{Id, Resource, cluster_scoped};
use super::targets::{Target, targets};

/// What is known of an object that others may mean; its name does not change any more.
struct Candidate {
    previous: Vec<Id>,
    now: Id,
    /// The namespace that it says.
    namespace: Option<String>,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
}

/// Gives references the names that their objects have now.
pub(super) fn update(build: &mut Build<'_>, all: &mut [Resource]) {
    let candidates: Vec<Candidate> = all.iter().map(Candidate::new).collect();
    if candidates.iter().all(|candidate| candidate.previous.is_empty()) {
        return;
    }
    let mut by_name: HashMap<&str, Vec<&Candidate>> = HashMap::new();
    for candidate in &candidates {
        let names: HashSet<&str> = candidate.previous.iter().map(|id| id.name.as_str()).collect();
        names.into_iter().for_each(|name| by_name.entry(name).or_default().push(candidate));
    }
    let targets = targets();
    let mut unclear: Vec<(Place, String)> = Vec::new();
    for (own, resource) in all.iter_mut().enumerate() {
        let Some(referrer) = candidates.get(own) else { continue };
        let near = Near::new(&resource.node, referrer);
        let first = resource.original();
        for target in &targets {
            let fits = |it: &&super::targets::Referrer| first.is(it.group, it.version, it.kind);
            for spot in target.referrers.iter().filter(fits) {
                let search = Search {
                    target,
                    referrer,
                    all: &candidates,
                    by_name: &by_name,
                    near: &near,
                    role: spot.path.ends_with("roleRef/name").then(|| role(&resource.node)),
                };
                let path = spot.path.as_str();
                let field = Field { group: "", version: "", kind: "", path, create: false };
                let place = resource.node.place.clone();
                field.each(&mut resource.node, &place, &mut |node| {
                    if let Err(several) = search.write(node) {
                        unclear.push((node.place.clone(), several));
                    }
                });
            }
        }
    }
    for (place, why) in unclear {
        build.wrong(&place, why);
    }
}

impl Candidate {
    fn new(resource: &Resource) -> Self {
        let namespace = resource.node.str("metadata.namespace").map(str::to_owned);
        Self {
            previous: resource.previous.clone(),
            now: resource.id(),
            namespace: namespace.filter(|name| !name.is_empty()),
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
        }
    }

    fn first(&self) -> &Id {
        self.previous.first().unwrap_or(&self.now)
    }
}

/// The objects that one may mean: those of its namespace, and those in none.
struct Near {
    own: Option<String>,
    /// Namespaces of the accounts that a binding names.
    accounts: HashSet<String>,
}

impl Near {
    fn new(node: &Node, own: &Candidate) -> Self {
        let mut accounts = HashSet::new();
        if own.now.kind == "RoleBinding" {
            let of = |subject: &&Node| subject.str("kind") == Some("ServiceAccount");
            let subjects = node.list("subjects").iter().filter(of);
            accounts.extend(subjects.filter_map(|it| it.str("namespace")).map(str::to_owned));
        }
        Self { own: own.now.namespace.clone(), accounts }
    }

    fn has(&self, it: &Candidate) -> bool {
        self.own.is_none()
            || it.now.namespace.is_none()
            || it.now.namespace == self.own
            || it.namespace.as_ref().is_some_and(|name| self.accounts.contains(name))
    }
}

/// Group and kind of the role that a binding is of.
fn role(node: &Node) -> Option<(String, String)> {
    let group = node.at("roleRef.apiGroup").and_then(Node::scalar)?;
    Some((group.to_owned(), node.at("roleRef.kind").and_then(Node::scalar)?.to_owned()))
}

struct Search<'a> {
    target: &'a Target,
    referrer: &'a Candidate,
    all: &'a [Candidate],
    /// By each name that they had.
    by_name: &'a HashMap<&'a str, Vec<&'a Candidate>>,
    near: &'a Near,
    /// For a field that names a role: which kind of role, where that is said.
    role: Option<Option<(String, String)>>,
}

impl Search<'_> {
    fn write(&self, node: &mut Node) -> Result<(), String> {
        match &mut node.value {
            Value::List(items) => items.iter_mut().try_for_each(|item| self.write(item)),
            Value::Map(_) => self.write_map(node),
            _ => {
                let Some(old) = node.scalar().map(str::to_owned) else { return Ok(()) };
                if let Some(found) = self.find(&old, self.named(&old), false)?
                    && found.now.name != old
                {
                    node.value = edit::text(found.now.name.clone(), &node.place).value;
                }
                Ok(())
            }
        }
    }

    /// A reference that says a namespace too, as the subject of a binding does.
    fn write_map(&self, node: &mut Node) -> Result<(), String> {
        let Some(old) = node.get("name").and_then(Node::scalar).map(str::to_owned) else {
            return Ok(());
        };
        let mut candidates = self.named(&old);
        if let Some(said) = node.get("namespace").and_then(Node::scalar) {
            let of = |id: &Id| id.namespace.as_deref() == Some(said);
            let first = self.all.iter().any(|it| self.near.has(it) && of(it.first()));
            candidates.retain(|it| if first { of(it.first()) } else { of(&it.now) });
        }
        let Some(found) = self.find(&old, candidates, true)? else { return Ok(()) };
        if let Some(name) = edit::get_mut(node, "name") {
            name.value = edit::text(found.now.name.clone(), &name.place).value;
        }
        if let Some(namespace) = &found.namespace {
            let place = node.get("namespace").map_or(&node.place, |old| &old.place).clone();
            edit::set(node, "namespace", &place, edit::text(namespace.clone(), &place));
        }
        Ok(())
    }

    /// Those near that had a name.
    fn named(&self, name: &str) -> Vec<&Candidate> {
        let all = self.by_name.get(name).into_iter().flatten().copied();
        all.filter(|it| self.near.has(it)).collect()
    }

    fn find<'b>(
        &self,
        name: &str,
        mut all: Vec<&'b Candidate>,
        with_namespace: bool,
    ) -> Result<Option<&'b Candidate>, String> {
        let target = self.target;
        all.retain(|it| {
            it.previous.iter().any(|id| id.is(target.group, target.version, target.kind))
        });
        if let Some(Some((group, kind))) = &self.role {
            all.retain(|it| it.previous.iter().any(|id| id.is(group, "", kind)));
        }
        let own = &self.referrer.now;
        if !cluster_scoped(&own.group, &own.kind) {
            all.retain(|it| {
                let scoped = it.now.namespace.is_some() && it.now.kind != "ServiceAccount";
                !scoped || it.now.namespace == own.namespace
            });
        }
        if all.len() > 1 {
            all.retain(|it| alike(it, self.referrer, true));
        }
        if all.len() > 1 {
            all.retain(|it| alike(it, self.referrer, false));
        }
        let Some(first) = all.first().copied() else { return Ok(None) };
        let same = |it: &&Candidate| {
            it.now.name == first.now.name && (!with_namespace || it.namespace == first.namespace)
        };
        if all.iter().all(same) {
            return Ok(Some(first));
        }
        let names: Vec<&str> = all.iter().map(|it| it.now.name.as_str()).collect();
        Err(format!("{name} may mean {}", names.join(" or ")))
    }
}

/// Whether two objects were given the same beginnings and ends, as far as one has fewer of them.
fn alike(one: &Candidate, other: &Candidate, or_none: bool) -> bool {
    let same = |one: &[String], other: &[String]| {
        let count = one.len().min(other.len());
        let ends = one[one.len() - count..] == other[other.len() - count..];
        ends && (count > 0 || or_none || one.len() == other.len())
    };
    same(&one.prefixes, &other.prefixes) && same(&one.suffixes, &other.suffixes)
}
