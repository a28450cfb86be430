//! What rules' tests need: manifests in, findings out.

use mxdoctor_probes::manifest::{Inventory, Object, Origin, Source, files, yaml};

use super::run;

/// The inventory of a text.
pub(crate) fn inventory(text: &str) -> Inventory {
    let source = Source::file("t.yaml", text);
    let documents = yaml::documents(&source).expect("YAML");
    Inventory::new(Origin::Files, documents.into_iter().filter_map(Object::new).collect())
}

/// What one rule finds in a text, each as `line:column message`.
pub(crate) fn found(rule: &str, text: &str) -> Vec<String> {
    let problems = run(&inventory(text)).into_iter();
    problems
        .filter(|problem| problem.rule.id == rule)
        .map(|problem| {
            let place = &problem.place;
            format!("{}:{} {}", place.line, place.column, problem.message)
        })
        .collect()
}

/// What one rule finds in a folder of files that is built as `mxdoctor lint` does, each as
/// `file:line:column message`.
pub(crate) fn built(rule: &str, files: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    let tree = files::read(&[files::Input::Path(folder.path().to_owned())]);
    let problems = tree.deployments.iter().flat_map(|one| run(&one.inventory));
    let root = format!("{}/", folder.path().display());
    problems
        .filter(|problem| problem.rule.id == rule)
        .map(|problem| format!("{} {}", problem.place, problem.message).replace(&root, ""))
        .collect()
}

/// Synapse's Deployment with a `homeserver.yaml`, whose lines begin on line 7.
pub(crate) fn synapse(homeserver: &str) -> String {
    let indented: String = homeserver.lines().map(|line| format!("    {line}\n")).collect();
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: synapse-config\ndata:\n  \
         homeserver.yaml: |\n{indented}---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  \
         name: synapse\nspec:\n  template:\n    metadata:\n      labels: {{app: synapse}}\n    \
         spec:\n      containers:\n      - name: synapse\n        image: \
         matrixdotorg/synapse:1.147.0\n        env:\n        - name: SYNAPSE_CONFIG_PATH\n          \
         value: /config/homeserver.yaml\n        volumeMounts:\n        - name: config\n          \
         mountPath: /config\n      volumes:\n      - name: config\n        configMap: {{name: \
         synapse-config}}\n"
    )
}

/// A part of Jitsi with the variables of its ConfigMap and lines of its pod's `spec`.
pub(crate) fn jitsi(part: &str, variables: &str, pod: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: jitsi-config\ndata:\n  {variables}\n\
         ---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: jitsi-{part}\nspec:\n  \
         template:\n    metadata:\n      labels: {{app: {part}}}\n    spec:\n      {pod}\n      \
         containers:\n      - name: {part}\n        image: jitsi/{part}:stable-10741\n        \
         ports: [{{containerPort: 10000, protocol: UDP}}]\n        envFrom:\n        - \
         configMapRef: {{name: jitsi-config}}\n"
    )
}

/// Element's Deployment with a `config.json`, whose lines begin on line 7.
pub(crate) fn element(config: &str) -> String {
    let indented: String = config.lines().map(|line| format!("    {line}\n")).collect();
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: element-config\ndata:\n  config.json: \
         |\n{indented}---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: element\n\
         spec:\n  template:\n    metadata:\n      labels: {{app: element}}\n    spec:\n      \
         containers:\n      - name: element\n        image: vectorim/element-web:v1.12.10\n        \
         volumeMounts:\n        - {{name: config, mountPath: /app/config.json, subPath: \
         config.json}}\n      volumes:\n      - name: config\n        configMap: {{name: \
         element-config}}\n"
    )
}
