//! What mxdoctor's account may do, and what it may not.

use std::collections::BTreeMap;
use std::path::Path;

use libtest_mimic::Failed;
use serde_json::Value;

use super::bench::{Bench, ROOT, ensure, string, text};

/// What `mxdoctor list rbac` prints is what is shipped.
pub(super) fn printed_as_shipped(bench: &Bench) -> Result<(), Failed> {
    let stack = bench.stack()?;
    let folder = Path::new(ROOT).join("deploy/base/rbac");
    let mut shipped = BTreeMap::new();
    for file in
        ["service-account.yaml", "role.yaml", "cluster-role.yaml", "components/operators/role.yaml"]
    {
        shipped.extend(objects(stack, &std::fs::read_to_string(folder.join(file))?)?);
    }
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_mxdoctor"))
        .args(["list", "rbac"])
        .output()?;
    ensure(output.status.success(), || text(&output))?;
    let printed = objects(stack, std::str::from_utf8(&output.stdout)?)?;
    let names = |of: &BTreeMap<String, Value>| of.keys().cloned().collect::<Vec<_>>();
    ensure(names(&printed) == names(&shipped), || {
        format!("printed {:?}, shipped {:?}", names(&printed), names(&shipped))
    })?;
    for (name, object) in &printed {
        ensure(*object == shipped[name], || {
            format!("{name} printed: {object:#}\nshipped: {:#}", shipped[name])
        })?;
    }
    ensure(printed.len() >= 6, || format!("{:?}", names(&printed)))
}

/// The objects of a text, as kubectl reads it, by kind, namespace and name.
fn objects(stack: &super::bench::Stack, text: &str) -> Result<BTreeMap<String, Value>, Failed> {
    let file = stack.kubeconfig.with_file_name("objects.yaml");
    std::fs::write(&file, text)?;
    let mut command = stack.cluster.kubectl();
    command.args(["create", "--dry-run=client", "--validate=ignore", "-o", "json", "-f"]);
    let output = command.arg(&file).output()?;
    ensure(output.status.success(), || super::bench::text(&output))?;
    let all = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    let mut found = BTreeMap::new();
    for one in all {
        let mut one = one?;
        let list = match one["items"].take() {
            Value::Array(items) => items,
            _ => vec![one],
        };
        for mut object in list {
            normalise(&mut object);
            let at = &object["metadata"];
            let (namespace, name) = (string(&at["namespace"]), string(&at["name"]));
            found.insert(format!("{} {namespace}/{name}", string(&object["kind"])), object);
        }
    }
    Ok(found)
}

/// Rules in the order of their groups, with their resources in order: it has no meaning.
fn normalise(object: &mut Value) {
    if let Some(rules) = object["rules"].as_array_mut() {
        for rule in rules.iter_mut() {
            for list in ["apiGroups", "resources", "verbs"] {
                if let Some(words) = rule[list].as_array_mut() {
                    words.sort_by_key(Value::to_string);
                }
            }
        }
        rules.sort_by_key(|rule| rule["apiGroups"].to_string());
    }
}
