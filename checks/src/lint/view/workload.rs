//! What runs pods.

use mxdoctor_probes::manifest::{Entry, Node, Object};

use super::Container;
use crate::lint::Stack;

/// A Deployment, StatefulSet, DaemonSet, Job or CronJob (or a bare Pod) with its pod template.
#[derive(Debug, Clone, Copy)]
pub struct Workload<'a> {
    /// The object.
    pub object: &'a Object,
    /// The template's labels.
    pub labels: &'a [Entry],
    /// The template's `spec`.
    pub pod: &'a Node,
}

/// A volume of a pod.
#[derive(Debug, Clone, Copy)]
pub struct Volume<'a> {
    /// Its part of the pod template.
    pub node: &'a Node,
    /// What it is.
    pub kind: VolumeKind<'a>,
}

/// What a volume is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum VolumeKind<'a> {
    /// A ConfigMap of this name.
    ConfigMap(&'a str),
    /// A Secret of this name.
    Secret(&'a str),
    /// A claim of this name.
    Claim(&'a str),
    /// Lives and dies with the pod.
    Empty,
    /// Anything else: projected, host path, CSI …
    Other,
}

/// A mount of a container with its volume.
#[derive(Debug, Clone, Copy)]
pub struct Mount<'a> {
    /// Its part of the container.
    pub node: &'a Node,
    /// The volume; none where the pod has none of that name.
    pub volume: Option<Volume<'a>>,
}

/// What a path inside a container is.
#[derive(Debug, Clone, Copy)]
pub enum MountedFile<'a> {
    /// A key of a ConfigMap of the inventory.
    Known(&'a Object, &'a Entry),
    /// A key of a Secret.
    Secret {
        /// The Secret's name.
        name: &'a str,
        /// The key.
        key: &'a str,
    },
    /// A key of a ConfigMap that is not in the inventory, or that lacks the key.
    Missing {
        /// The ConfigMap's name.
        name: &'a str,
        /// The key.
        key: &'a str,
    },
    /// Below a mount of another kind.
    Volume(Volume<'a>),
}

impl<'a> Workload<'a> {
    /// The workload of an object, where it is one.
    pub fn new(object: &'a Object) -> Option<Self> {
        let template = match object.kind() {
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => {
                object.at("spec.template")?
            }
            "CronJob" => object.at("spec.jobTemplate.spec.template")?,
            "Pod" => &object.node,
            _ => return None,
        };
        Some(Self { object, labels: template.map("metadata.labels"), pod: template.get("spec")? })
    }

    /// Its containers, those that run before the others first.
    pub fn containers(&self) -> Vec<Container<'a>> {
        let init = self.pod.list("initContainers").iter();
        let main = self.pod.list("containers").iter();
        init.map(|node| Container { node, init: true })
            .chain(main.map(|node| Container { node, init: false }))
            .collect()
    }

    /// Its containers that stay.
    pub fn main(&self) -> impl Iterator<Item = Container<'a>> + use<'a> {
        self.pod.list("containers").iter().map(|node| Container { node, init: false })
    }

    /// The value of a template's label.
    pub fn label(&self, key: &str) -> Option<&'a str> {
        self.labels.iter().rev().find(|entry| entry.key == key)?.node.scalar()
    }

    /// Whether it has every label of a selector (`matchLabels` of a Deployment, `selector` of a
    /// Service). An empty selector selects nothing here.
    pub fn has(&self, selector: &[Entry]) -> bool {
        let fits = |entry: &Entry| self.label(&entry.key) == entry.node.scalar();
        !selector.is_empty() && selector.iter().all(fits)
    }

    /// Whether its pods share their node's network.
    pub fn host_network(&self) -> bool {
        self.pod.bool("hostNetwork").unwrap_or(false)
    }

    /// How many pods it wants, where a number stands or is implied.
    pub fn replicas(&self) -> i64 {
        self.object.at("spec.replicas").and_then(Node::as_i64).unwrap_or(1)
    }

    /// Its volumes.
    pub fn volumes(&self) -> impl Iterator<Item = Volume<'a>> + use<'a> {
        self.pod.list("volumes").iter().map(Volume::new)
    }

    /// The mounts of one of its containers.
    pub fn mounts(&self, container: &Container<'a>) -> Vec<Mount<'a>> {
        let mounts = container.node.list("volumeMounts").iter();
        mounts
            .map(|node| Mount {
                node,
                volume: self.volumes().find(|volume| volume.node.str("name") == node.str("name")),
            })
            .collect()
    }

    /// What stands at a path inside a container: the mount with the longest path above it decides.
    pub fn file(
        &self,
        stack: &Stack<'a>,
        container: &Container<'a>,
        path: &'a str,
    ) -> Option<MountedFile<'a>> {
        let mount = self.above(container, path)?;
        self.mounted(stack, &mount, mount.rest(path)?)
    }

    /// What stands in a folder inside a container under a name.
    pub fn file_in(
        &self,
        stack: &Stack<'a>,
        container: &Container<'a>,
        folder: &str,
        name: &'a str,
    ) -> Option<MountedFile<'a>> {
        let path = format!("{}/{name}", folder.trim_end_matches('/'));
        let mount = self.above(container, &path)?;
        let rest = mount.rest(&path)?;
        let rest = if rest.is_empty() { "" } else { name };
        self.mounted(stack, &mount, rest)
    }

    /// The mount that decides what a path is.
    pub fn above(&self, container: &Container<'a>, path: &str) -> Option<Mount<'a>> {
        let mounts = self.mounts(container).into_iter();
        mounts.filter(|mount| mount.rest(path).is_some()).max_by_key(|mount| mount.path().len())
    }

    fn mounted(
        &self,
        stack: &Stack<'a>,
        mount: &Mount<'a>,
        rest: &'a str,
    ) -> Option<MountedFile<'a>> {
        let volume = mount.volume?;
        // The mount itself is a folder, unless it is of one file.
        if rest.is_empty() && mount.node.get("subPath").is_none() {
            return Some(MountedFile::Volume(volume));
        }
        let key = volume.key(mount.node.str("subPath"), rest)?;
        Some(match volume.kind {
            VolumeKind::Secret(name) => MountedFile::Secret { name, key },
            VolumeKind::ConfigMap(name) => {
                let map = stack.inventory.beside(self.object, "ConfigMap", name);
                match map.and_then(|map| Some((map, map.at("data")?.entry(key)?))) {
                    Some((map, entry)) => MountedFile::Known(map, entry),
                    None => MountedFile::Missing { name, key },
                }
            }
            _ => MountedFile::Volume(volume),
        })
    }
}

impl<'a> Volume<'a> {
    fn new(node: &'a Node) -> Self {
        let name = |path: &str| node.str(path).unwrap_or_default();
        let kind = if node.get("configMap").is_some() {
            VolumeKind::ConfigMap(name("configMap.name"))
        } else if node.get("secret").is_some() {
            VolumeKind::Secret(name("secret.secretName"))
        } else if node.get("persistentVolumeClaim").is_some() {
            VolumeKind::Claim(name("persistentVolumeClaim.claimName"))
        } else if node.get("emptyDir").is_some() {
            VolumeKind::Empty
        } else {
            VolumeKind::Other
        };
        Self { node, kind }
    }

    /// Its name.
    pub fn name(&self) -> &'a str {
        self.node.str("name").unwrap_or_default()
    }

    /// The `items` of a ConfigMap or Secret; empty where all keys are files of their own name.
    pub fn items(&self) -> &'a [Node] {
        let items = self.node.list("configMap.items");
        if items.is_empty() { self.node.list("secret.items") } else { items }
    }

    /// The key that a file of this volume is: by `items`, or of the same name.
    fn key(&self, sub_path: Option<&'a str>, rest: &'a str) -> Option<&'a str> {
        let file = match sub_path {
            Some(sub) if rest.is_empty() => sub,
            _ => rest,
        };
        let items = self.items();
        if items.is_empty() {
            return Some(file);
        }
        items.iter().find(|item| item.str("path") == Some(file))?.str("key")
    }
}

impl<'a> Mount<'a> {
    /// Where it is mounted, without a slash at the end.
    pub fn path(&self) -> &'a str {
        self.node.str("mountPath").unwrap_or_default().trim_end_matches('/')
    }

    /// What is left of a path below this mount; empty for the mount itself.
    pub fn rest<'p>(&self, path: &'p str) -> Option<&'p str> {
        let rest = path.strip_prefix(self.path())?;
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
    }
}
