//! Which objects are which part of the stack.

use mxdoctor_probes::manifest::{Entry, Inventory, Node, Object, Value, payload as read};

use super::labels::Labels;
use super::reach::{self, Route, Service};
use super::{
    Container, Element, Jitsi, JitsiPart, MountedFile, Payload, Produced, Synapse, Workload,
    secrets,
};

/// The typed view of an inventory that rules look at.
#[derive(Debug)]
pub struct Stack<'a> {
    /// The objects.
    pub inventory: &'a Inventory,
    /// What runs pods.
    pub workloads: Vec<Workload<'a>>,
    /// The Services.
    pub services: Vec<Service<'a>>,
    /// How host names come to Services.
    pub routes: Vec<Route<'a>>,
    /// What makes Secrets.
    pub secrets: Vec<Produced<'a>>,
    /// Synapse, as often as it is there.
    pub synapse: Vec<Synapse<'a>>,
    /// Element Web, as often as it is there.
    pub element: Vec<Element<'a>>,
    /// Jitsi Meet.
    pub jitsi: Jitsi<'a>,
    pub(super) labels: Labels<'a>,
}

/// Whether an object was made by a workload: a live Deployment has its ReplicaSets and pods beside
/// it, and is one workload with them.
fn is_made(object: &Object) -> bool {
    let kinds = ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "CronJob", "Job"];
    let owners = object.node.list("metadata.ownerReferences").iter();
    owners.filter_map(|owner| owner.str("kind")).any(|kind| kinds.contains(&kind))
}

impl<'a> Stack<'a> {
    /// The view of an inventory.
    pub fn new(inventory: &'a Inventory) -> Self {
        let objects = inventory.objects();
        let mut stack = Self {
            inventory,
            workloads: objects
                .iter()
                .filter(|object| !is_made(object))
                .filter_map(Workload::new)
                .collect(),
            services: inventory.of_kind("Service").map(|object| Service { object }).collect(),
            routes: objects.iter().flat_map(reach::routes).collect(),
            secrets: secrets::produced(objects, inventory.origin),
            synapse: Vec::new(),
            element: Vec::new(),
            jitsi: Jitsi::default(),
            labels: Labels::default(),
        };
        stack.labels = Labels::new(&stack.workloads, &stack.services);
        stack.jitsi = stack.find_jitsi();
        stack.synapse = stack.find_synapse();
        stack.element = stack.find_element();
        stack
    }

    /// The workloads with a container of one of these images (the repository's last part), each
    /// with that container.
    pub fn running(&self, images: &[&str]) -> Vec<(Workload<'a>, Container<'a>)> {
        let mut all = Vec::new();
        for workload in self.workloads.iter().filter(|workload| !workload.runs_once()) {
            let wanted = |container: &Container<'a>| {
                container.image().is_some_and(|image| {
                    images.contains(&image.base()) || images.contains(&image.repository)
                })
            };
            all.extend(workload.main().find(wanted).map(|container| (*workload, container)));
        }
        all
    }

    /// The Services that select a workload.
    pub fn services_of(&self, workload: &Workload<'a>) -> Vec<Service<'a>> {
        let some = self.labels.services(workload).into_iter();
        let some = some.filter_map(|at| self.services.get(at));
        some.filter(|service| service.takes(workload)).copied().collect()
    }

    /// The routes that lead to a workload.
    pub fn routes_to(&self, workload: &Workload<'a>) -> Vec<&Route<'a>> {
        let services = self.services_of(workload);
        let leads = |route: &&Route<'a>| {
            let target = route.target(self);
            target.is_some_and(|t| services.iter().any(|s| std::ptr::eq(s.object, t.object)))
        };
        self.routes.iter().filter(leads).collect()
    }

    /// Whether a route takes a host to a Service that is not here. Where the host is meant to lead
    /// is not known then, and the mistake is the route's.
    pub fn is_lost(&self, host: &str) -> bool {
        let mut routes = self.routes.iter().filter(|route| route.host == Some(host));
        routes.any(|route| route.service.is_some() && route.target(self).is_none())
    }

    fn find_jitsi(&self) -> Jitsi<'a> {
        let parts = |image: &str| -> Vec<JitsiPart<'a>> {
            let found = self.running(&[image]).into_iter();
            found.map(|(workload, container)| JitsiPart { workload, container }).collect()
        };
        let (prosody, jicofo, web) =
            (parts("jitsi/prosody"), parts("jitsi/jicofo"), parts("jitsi/web"));
        let mut jvb = parts("jitsi/jvb");
        let several = prosody.len() > 1 || jicofo.len() > 1 || web.len() > 1;
        let Some(first) = prosody.first().filter(|_| several) else {
            let one = |parts: Vec<JitsiPart<'a>>| (!several).then(|| parts.first().copied());
            let [prosody, jicofo, web] = [prosody, jicofo, web].map(|it| one(it).flatten());
            return Jitsi { prosody, jicofo, jvb, web };
        };
        // Of several Jitsis the first is looked at, by its namespace. Which parts belong together
        // inside of one is not told by anything.
        let here = first.workload.object.namespace();
        let own = |part: &&JitsiPart<'a>| part.workload.object.namespace() == here;
        let only = |parts: &[JitsiPart<'a>]| -> Option<Option<JitsiPart<'a>>> {
            let all: Vec<_> = parts.iter().filter(own).copied().collect();
            (all.len() < 2).then(|| all.first().copied())
        };
        let (Some(prosody), Some(jicofo), Some(web)) = (only(&prosody), only(&jicofo), only(&web))
        else {
            return Jitsi::default();
        };
        jvb.retain(|part| own(&part));
        Jitsi { prosody, jicofo, jvb, web }
    }

    fn find_synapse(&self) -> Vec<Synapse<'a>> {
        let mut running = self.running(&["synapse"]);
        running.retain(|(workload, container)| !self.is_worker(workload, container));
        if running.is_empty() {
            let files: Vec<_> = self.loose_files(&["homeserver.yaml"], payload);
            let one =
                |file| Synapse { workload: None, configuration: vec![file], reads_more: false };
            return files.into_iter().map(one).collect();
        }
        let all = running.into_iter().map(|(workload, container)| {
            let (configuration, reads_more) = self.synapse_files(&workload, &container);
            Synapse { workload: Some((workload, container)), configuration, reads_more }
        });
        all.collect()
    }

    /// Whether a container of Synapse's image runs one of its workers, and not the main process.
    fn is_worker(&self, workload: &Workload<'a>, container: &Container<'a>) -> bool {
        let words = ["command", "args"].iter().flat_map(|part| container.node.list(part));
        let mut words = words.filter_map(Node::scalar).flat_map(str::split_whitespace);
        let module =
            |word: &str| word.starts_with("synapse.app.") && word != "synapse.app.homeserver";
        let module = |word: &str| module(word) || word.ends_with("synapse_worker");
        words.any(module) || container.env_value(self, workload, "SYNAPSE_WORKER").is_some()
    }

    /// The files that Synapse is told to read: `SYNAPSE_CONFIG_PATH` (a file, or a folder of
    /// files), or `-c` in its arguments.
    fn synapse_files(
        &self,
        workload: &Workload<'a>,
        container: &Container<'a>,
    ) -> (Vec<Payload<'a>>, bool) {
        let (mut paths, mut more) = config_arguments(container.node);
        let mut files = Vec::new();
        if paths.is_empty()
            && let Some(env) = container.env_value(self, workload, "SYNAPSE_CONFIG_PATH")
        {
            paths.extend(env.known());
            more |= paths.is_empty();
        }
        let found = match paths[..] {
            // Source: Synapse, `docker/start.py`.
            [] if !more => {
                let folder = container.env_value(self, workload, "SYNAPSE_CONFIG_DIR");
                let folder = folder.map_or(Some("/data"), |env| env.known());
                folder.map(|folder| workload.file_in(self, container, folder, "homeserver.yaml"))
            }
            _ => None,
        };
        match found {
            Some(Some(MountedFile::Known(object, entry))) => files.push(payload(object, entry)),
            Some(_) => more = true,
            None => more |= paths.is_empty(),
        }
        for path in paths {
            match workload.file(self, container, path) {
                Some(MountedFile::Known(object, entry)) => files.push(payload(object, entry)),
                Some(MountedFile::Missing { .. } | MountedFile::Secret { .. }) => more = true,
                Some(MountedFile::Volume(_)) | None => {
                    let folder = self.mounted_folder(workload, container, path);
                    more |= folder.is_empty();
                    files.extend(folder);
                }
            }
        }
        (files, more)
    }

    /// The YAML files of a ConfigMap that is mounted as a folder at a path.
    fn mounted_folder(
        &self,
        workload: &Workload<'a>,
        container: &Container<'a>,
        path: &str,
    ) -> Vec<Payload<'a>> {
        let mounts = workload.mounts(container).into_iter();
        let here = mounts.filter(|mount| mount.path() == path.trim_end_matches('/'));
        let maps = here.filter_map(|mount| match mount.volume?.kind {
            super::VolumeKind::ConfigMap(name) => {
                self.inventory.beside(workload.object, "ConfigMap", name)
            }
            _ => None,
        });
        maps.flat_map(|map| {
            let yaml = |entry: &&Entry| entry.key.ends_with(".yaml") || entry.key.ends_with(".yml");
            map.node.map("data").iter().filter(yaml).map(move |entry| payload(map, entry))
        })
        .collect()
    }

    fn find_element(&self) -> Vec<Element<'a>> {
        let running = self.running(&["element-web", "element"]);
        if running.is_empty() {
            let files = self.loose_files(&["config.json"], json);
            let elements = files.into_iter().filter(|file| {
                file.error.is_some() || file.node.get("default_server_config").is_some()
            });
            let one = |file| Element { workload: None, configuration: Some(file) };
            return elements.map(one).collect();
        }
        let all = running.into_iter().map(|(workload, container)| {
            let file = workload.file(self, &container, "/app/config.json");
            let configuration = match file {
                Some(MountedFile::Known(object, entry)) => Some(json(object, entry)),
                _ => None,
            };
            Element { workload: Some((workload, container)), configuration }
        });
        all.collect()
    }

    fn loose_files(
        &self,
        keys: &[&str],
        read: impl Fn(&'a Object, &'a Entry) -> Payload<'a>,
    ) -> Vec<Payload<'a>> {
        let maps = self.inventory.of_kind("ConfigMap");
        maps.filter_map(|map| {
            let entry = keys.iter().find_map(|key| map.at("data")?.entry(key))?;
            Some(read(map, entry))
        })
        .collect()
    }
}

/// The paths after `-c` or `--config-path` in a container's command, or in the script that it is;
/// and whether there is one that only the script knows.
fn config_arguments(container: &Node) -> (Vec<&str>, bool) {
    let words = ["command", "args"].iter().flat_map(|part| container.list(part));
    let words: Vec<&str> = words.filter_map(Node::scalar).flat_map(str::split_whitespace).collect();
    let is_shell = |word: &str| word.rsplit('/').next().is_some_and(|it| it.ends_with("sh"));
    let (mut paths, mut open) = (Vec::new(), false);
    for (index, word) in words.iter().enumerate() {
        let path = match word.strip_prefix("--config-path=") {
            Some(path) => path,
            None if !matches!(*word, "-c" | "--config-path") => continue,
            // A shell's own: what follows is its script.
            None if index > 0 && is_shell(words[index - 1]) => continue,
            None => words.get(index + 1).copied().unwrap_or_default(),
        };
        let path = path.trim_matches(['"', '\'', ';']);
        if path.starts_with('/') && !path.contains('$') { paths.push(path) } else { open = true }
    }
    (paths, open)
}

/// A YAML file in a ConfigMap.
pub fn payload<'a>(object: &'a Object, entry: &'a Entry) -> Payload<'a> {
    match read::yaml(&entry.node) {
        Ok(node) => whole(object, entry, node.unwrap_or_else(|| nothing(&entry.node))),
        Err(error) => broken(object, entry, error),
    }
}

fn json<'a>(object: &'a Object, entry: &'a Entry) -> Payload<'a> {
    match read::json(&entry.node) {
        Ok(node) => whole(object, entry, node),
        Err(error) => broken(object, entry, error),
    }
}

fn whole<'a>(object: &'a Object, entry: &'a Entry, node: Node) -> Payload<'a> {
    Payload { object, key: &entry.key, text: &entry.node, node, error: None }
}

fn broken<'a>(
    object: &'a Object,
    entry: &'a Entry,
    error: mxdoctor_probes::manifest::yaml::NotYaml,
) -> Payload<'a> {
    let node = nothing(&entry.node);
    let error = Some((error.place, error.why));
    Payload { object, key: &entry.key, text: &entry.node, node, error }
}

fn nothing(text: &Node) -> Node {
    Node { value: Value::Null, place: text.place.clone() }
}
