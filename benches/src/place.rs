//! A place in the network from which the stack is far away.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Bench;
use crate::link::{Link, Weather, ip};

const NEAR: &str = "mxd-bench-near";
const FAR: &str = "mxd-bench-far";

/// What the person says who knows where Jitsi Meet is.
const CONFIG: &str = "server_name = \"testing.borooka.ee\"\n
[jitsi]
base_url = \"https://meet.testing.borooka.ee\"
";

/// A namespace with a link to the stack, until dropped.
pub(crate) struct Place {
    binary: PathBuf,
    root: PathBuf,
    config: PathBuf,
    _link: Link,
    _names: Names,
}

/// The namespaces' names, taken away when dropped.
struct Names;

impl Drop for Names {
    fn drop(&mut self) {
        for name in [NEAR, FAR] {
            // Not there is what is wanted.
            let _ = ip(&["netns", "delete", name]);
        }
    }
}

impl Place {
    /// # Errors
    /// Without root, `/dev/net/tun` or `ip`.
    pub(crate) fn new(bench: &Bench, weather: Weather) -> Result<Self, Box<dyn Error>> {
        drop(Names);
        let names = Names;
        ip(&["netns", "add", NEAR])?;
        ip(&["netns", "attach", FAR, &bench.stack.pid().to_string()])?;
        let ends = [(NEAR, "10.99.0.1/30"), (FAR, "10.99.0.2/30")];
        let link = Link::new(ends, weather)?;
        ip(&["-n", NEAR, "link", "set", "lo", "up"])?;
        ip(&["-n", NEAR, "route", "add", "198.51.100.0/24", "via", "10.99.0.2"])?;
        let config = bench.target.join("bench.toml");
        fs::write(&config, CONFIG)?;
        let (binary, root) = (bench.binary.clone(), bench.stack.file("pki/root.crt"));
        Ok(Self { binary, root, config, _link: link, _names: names })
    }

    /// The stack's root certificate.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A command that runs there.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", NEAR]).arg(program.as_ref());
        command
    }

    /// A check of the stack, which is found by its server name.
    pub(crate) fn check(&self) -> Command {
        let mut check = self.command(&self.binary);
        check.args(["check", "testing.borooka.ee"]);
        self.dressed(check)
    }

    /// A check of the stack, where Jitsi Meet is named by a configuration.
    pub(crate) fn check_configured(&self) -> Command {
        let mut check = self.command(&self.binary);
        check.arg("check").arg("--config").arg(&self.config);
        self.dressed(check)
    }

    fn dressed(&self, mut check: Command) -> Command {
        check
            .args(["--report", "json", "--dns-server", "198.51.100.54"])
            .args(["--routable", "198.51.100.0/24"])
            .env("SSL_CERT_FILE", &self.root);
        check
    }
}
