//! A container of a pod template.

use mxdoctor_probes::manifest::{Node, Object, Place};

use super::{Image, Workload};
use crate::lint::Stack;

/// A container.
#[derive(Debug, Clone, Copy)]
pub struct Container<'a> {
    /// Its part of the pod template.
    pub node: &'a Node,
    /// Whether it runs before the others.
    pub init: bool,
}

/// A variable that a container is given.
#[derive(Debug, Clone)]
pub struct Env<'a> {
    /// Its name.
    pub name: String,
    /// Where it is given: the `env` item, or the key of the ConfigMap that `envFrom` names.
    pub place: Place,
    /// Its value.
    pub value: EnvValue<'a>,
}

/// Where a variable's value comes from.
#[derive(Debug, Clone)]
pub enum EnvValue<'a> {
    /// A value that is written down: in the pod template, or in a ConfigMap of the inventory.
    Known(&'a Node),
    /// A key of a Secret.
    Secret {
        /// The Secret's name.
        name: &'a str,
        /// The key.
        key: &'a str,
        /// Whether the container starts without it.
        optional: bool,
    },
    /// A key of a ConfigMap that the inventory lacks, or a key that this one lacks.
    ConfigMap {
        /// The ConfigMap's name.
        name: &'a str,
        /// The key.
        key: &'a str,
    },
    /// A field of the pod, such as its node's address.
    Field(&'a Node),
    /// Written without a value.
    Empty,
}

/// A probe of a container.
#[derive(Debug, Clone, Copy)]
pub struct Probe<'a> {
    /// `livenessProbe`, `readinessProbe` or `startupProbe`.
    pub name: &'static str,
    /// Its part of the container.
    pub node: &'a Node,
}

impl<'a> Container<'a> {
    /// Its name.
    pub fn name(&self) -> &'a str {
        self.node.str("name").unwrap_or_default()
    }

    /// Its image; none where it names none.
    pub fn image(&self) -> Option<Image<'a>> {
        self.node.str("image").map(Image::new)
    }

    /// Its ports: the `ports` items.
    pub fn ports(&self) -> &'a [Node] {
        self.node.list("ports")
    }

    /// Its probes.
    pub fn probes(&self) -> impl Iterator<Item = Probe<'a>> + use<'a> {
        let node = self.node;
        ["startupProbe", "livenessProbe", "readinessProbe"]
            .into_iter()
            .filter_map(move |name| node.get(name).map(|node| Probe { name, node }))
    }

    /// A limit or request (`limits`, `requests`) of a resource, as it is written.
    pub fn resource(&self, kind: &str, resource: &str) -> Option<&'a Node> {
        self.node.at("resources")?.get(kind)?.get(resource)
    }

    /// Its variables in the order in which the kubelet sets them: `envFrom`, then `env`. A name
    /// that is given twice is there twice; the last one wins.
    pub fn env(&self, stack: &Stack<'a>, workload: &Workload<'a>) -> Vec<Env<'a>> {
        let mut all = Vec::new();
        for from in self.node.list("envFrom") {
            let prefix = from.str("prefix").unwrap_or_default();
            if let Some(name) = from.str("configMapRef.name")
                && let Some(map) = stack.inventory.beside(workload.object, "ConfigMap", name)
            {
                all.extend(map.node.map("data").iter().map(|entry| Env {
                    name: format!("{prefix}{}", entry.key),
                    place: entry.place.clone(),
                    value: EnvValue::Known(&entry.node),
                }));
            }
            if let Some(name) = from.str("secretRef.name")
                && let Some(keys) = stack.secret_keys(workload.object, name)
            {
                all.extend(keys.into_iter().map(|key| Env {
                    name: format!("{prefix}{key}"),
                    place: from.place.clone(),
                    value: EnvValue::Secret { name, key, optional: false },
                }));
            }
        }
        let written = self.node.list("env").iter();
        all.extend(written.filter_map(|item| written_env(stack, workload.object, item)));
        all
    }

    /// The value that a variable ends up with.
    pub fn env_value(
        &self,
        stack: &Stack<'a>,
        workload: &Workload<'a>,
        name: &str,
    ) -> Option<Env<'a>> {
        self.env(stack, workload).into_iter().rev().find(|env| env.name == name)
    }

    /// Whether a script starts the program, which may set variables that stand nowhere else.
    pub fn has_script(&self) -> bool {
        let words = ["command", "args"].iter().flat_map(|part| self.node.list(part));
        let mut words = words.filter_map(Node::as_str);
        words.any(|word| word == "sh" || word.ends_with("/sh") || word.ends_with("bash"))
    }

    /// Whether a variable may come from a source that the inventory does not show: an `envFrom`
    /// of an object that is not in it.
    pub fn env_is_open(&self, stack: &Stack<'a>, workload: &Workload<'a>) -> bool {
        self.node.list("envFrom").iter().any(|from| {
            let map = from.str("configMapRef.name");
            let secret = from.str("secretRef.name");
            let lacks = |name| stack.inventory.beside(workload.object, "ConfigMap", name).is_none();
            map.is_some_and(lacks)
                || secret.is_some_and(|name| stack.secret_keys(workload.object, name).is_none())
        })
    }
}

impl<'a> Env<'a> {
    /// The value, where it is written down.
    pub fn known(&self) -> Option<&'a str> {
        match self.value {
            EnvValue::Known(node) => node.scalar(),
            _ => None,
        }
    }
}

impl<'a> Probe<'a> {
    /// The path of an HTTP probe.
    pub fn path(&self) -> Option<&'a Node> {
        self.node.at("httpGet.path")
    }

    /// The port of an HTTP or TCP probe: a number or a container port's name.
    pub fn port(&self) -> Option<&'a Node> {
        self.node.at("httpGet.port").or_else(|| self.node.at("tcpSocket.port"))
    }
}

fn written_env<'a>(stack: &Stack<'a>, from: &Object, item: &'a Node) -> Option<Env<'a>> {
    let name = item.get("name")?.scalar()?.to_owned();
    let value = if let Some(value) = item.get("value") {
        EnvValue::Known(value)
    } else if let Some(key) = item.at("valueFrom.secretKeyRef") {
        EnvValue::Secret {
            name: key.str("name").unwrap_or_default(),
            key: key.str("key").unwrap_or_default(),
            optional: key.bool("optional").unwrap_or(false),
        }
    } else if let Some(reference) = item.at("valueFrom.configMapKeyRef") {
        let name = reference.str("name").unwrap_or_default();
        let key = reference.str("key").unwrap_or_default();
        let map = stack.inventory.beside(from, "ConfigMap", name);
        match map.and_then(|map| map.at("data")?.get(key)) {
            Some(value) => EnvValue::Known(value),
            None => EnvValue::ConfigMap { name, key },
        }
    } else if let Some(field) = item.get("valueFrom") {
        EnvValue::Field(field)
    } else {
        EnvValue::Empty
    };
    Some(Env { name, place: item.place.clone(), value })
}
