//! The trees of manifests, each taken by an API server that holds nothing of them yet.

use std::path::Path;

use libtest_mimic::Failed;
use mxdoctor_fixtures::cluster::Cluster;

use super::bench::{Bench, ROOT, ensure, text};

/// Trees below `fixtures/stack`, and how kubectl is told to read them.
const TREES: &[(&str, &[&str])] = &[
    ("apps/base/matrix", &["-k"]),
    ("plain", &["-R", "-f"]),
    ("helm", &["-f"]),
    ("naive/apps/base/matrix", &["-k"]),
];

/// Every object is known, with every field, and passes what the API server validates; also of the
/// naive tree, whose mistakes are not of that kind.
pub(super) fn taken(_: &Bench) -> Result<(), Failed> {
    let cluster = Cluster::start()?;
    cluster.apply_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: app-matrix}\n")?;
    for (tree, flags) in TREES {
        let path = Path::new(ROOT).join("fixtures/stack").join(tree);
        let mut command = cluster.kubectl();
        command.args(["apply", "--server-side", "--force-conflicts"]);
        command.args(["--dry-run=server", "--validate=strict"]).args(*flags);
        let output = command.arg(&path).output()?;
        ensure(output.status.success(), || format!("{tree}: {}", text(&output)))?;
        let taken = String::from_utf8_lossy(&output.stdout).lines().count();
        ensure(taken > 20, || format!("{tree}: only {taken} objects\n{}", text(&output)))?;
    }
    Ok(())
}
