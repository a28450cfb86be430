//! The homeserver's family, synthetic user and all, over the slow link.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use mxdoctor_fixtures::stack::View;

use crate::Bench;
use crate::place::Place;
use crate::whole::{self, Figure};

/// Synapse's own address, as pods know it, and `registration_shared_secret` of the stack's Synapse.
const MAKER: &str = "server_name = \"testing.borooka.ee\"

[canary]
homeserver = \"http://10.43.0.20:8008\"
shared_secret = \"test-only\"
";

/// Wall time of all checks of the homeserver against the longest chain of their own waterfall.
pub(crate) fn family(bench: &Bench, place: &Place) -> Result<(), Box<dyn Error>> {
    let config = account(bench)?;
    let state = tempfile::tempdir()?;
    let figure = whole::measure(|| {
        let mut check = place.check();
        check.arg("--config").arg(&config).arg("--state").arg(state.path());
        check.args(["--allow", "canary", "--only", "federation.*,synapse.*,canary.*"]);
        check
    })?;
    let Figure { wall, ratio, chain, .. } = figure;
    println!("homeserver with its canary  {wall:6.0} ms");
    println!("  against its longest chain {ratio:6.2} times    promised within 1.2");
    println!("longest chain: {}", chain.join(" → "));
    Ok(())
}

/// The configuration of the synthetic user, whose account is made.
fn account(bench: &Bench) -> Result<PathBuf, Box<dyn Error>> {
    fs::write(bench.stack.file("bench-init.toml"), MAKER)?;
    let mut init = bench.stack.command(View::Cluster, &bench.binary);
    let output = init.args(["init", "--canary", "-c", "/srv/bench-init.toml"]).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let config = bench.stack.file("bench-canary.toml");
    let account = String::from_utf8(output.stdout)?;
    fs::write(&config, format!("server_name = \"testing.borooka.ee\"\n\n{account}"))?;
    Ok(config)
}
