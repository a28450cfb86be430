//! BOSH and WebSocket against a real Prosody, which serves `config.js` itself.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use mxdoctor_checks::{Cx, Target};
use mxdoctor_model::{Outcome, Vantage};
use mxdoctor_probes::{Net, NetConfig};
use tempfile::TempDir;

use crate::stack::{expect, finding};

const PROSODY: &str = "/usr/bin/prosody";

struct Prosody {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Drop for Prosody {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prosody {
    /// Starts one that serves `meet.jitsi`, with a `config.js` that names this domain.
    async fn start(domain: &str) -> Self {
        let present = std::path::Path::new(PROSODY).exists();
        assert!(present, "{PROSODY} is missing: install Debian's package `prosody`");
        let folder = TempDir::new().expect("a folder");
        let at = folder.path();
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr();
        let port = port.expect("an address").port();
        std::fs::create_dir(at.join("www")).expect("a folder");
        let config_js = format!(
            "config.hosts = {{ domain: '{domain}', muc: 'muc.' + '{domain}' }};\n\
             config.bosh = 'https://meet.example.org/http-bind';\n\
             config.websocket = 'wss://meet.example.org/xmpp-websocket';\n"
        );
        std::fs::write(at.join("www/config.js"), config_js).expect("written");
        let settings = format!(
            "run_as_root = true\ndaemonize = false\ndata_path = '{0}'\npidfile = '{0}/pid'\n\
             log = {{ {{ levels = {{ min = 'info' }}, to = 'file', filename = '{0}/log' }} }}\n\
             interfaces = {{ '127.0.0.1' }}\nlegacy_ssl_ports = {{}}\nc2s_ports = {{}}\n\
             s2s_ports = {{}}\nhttps_ports = {{}}\nhttp_ports = {{ {port} }}\n\
             http_interfaces = {{ '127.0.0.1' }}\nhttp_default_host = 'meet.jitsi'\n\
             http_paths = {{ files = '/' }}\nhttp_files_dir = '{0}/www'\n\
             modules_enabled = {{ 'bosh', 'websocket', 'saslauth', 'disco', 'http_files' }}\n\
             modules_disabled = {{ 's2s', 'tls' }}\nconsider_bosh_secure = true\n\
             consider_websocket_secure = true\nc2s_require_encryption = false\n\
             VirtualHost 'meet.jitsi'\n    authentication = 'anonymous'\n",
            at.display()
        );
        let path = at.join("prosody.cfg.lua");
        std::fs::write(&path, settings).expect("written");
        let child = Command::new(PROSODY)
            .args(["-F", "--config"])
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Prosody starts");
        let mut prosody = Self { child, port, _folder: folder };
        prosody.wait().await;
        prosody
    }

    /// Until the port is open; Prosody opens it when everything is loaded.
    async fn wait(&mut self) {
        let log = self._folder.path().join("log");
        let said = || std::fs::read_to_string(&log).unwrap_or_default();
        let open = async {
            while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
                let ended = self.child.try_wait().expect("its state");
                assert!(ended.is_none(), "Prosody ended: {}", said());
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        let limit = std::time::Duration::from_secs(30);
        assert!(
            tokio::time::timeout(limit, open).await.is_ok(),
            "Prosody opens no port: {}",
            said()
        );
    }

    fn run(&self) -> Cx {
        let jitsi = format!("http://127.0.0.1:{}", self.port).parse().ok();
        let target = Target { server_name: "example.org".into(), jitsi, ..Target::default() };
        Cx::new(Vantage::Cluster, target, Net::new(NetConfig::default()))
    }
}

#[tokio::test]
async fn a_real_prosody_opens_streams() {
    let prosody = Prosody::start("meet.jitsi").await;
    let cx = prosody.run();
    for id in ["jitsi.bosh", "jitsi.websocket"] {
        let finding = finding(&cx, id).await;
        assert_eq!(finding.outcome, Outcome::Pass, "{id}: {finding:#?}");
        assert!(finding.summary.starts_with("meet.jitsi answers"), "{}", finding.summary);
        assert!(finding.summary.ends_with("offers ANONYMOUS"), "{}", finding.summary);
    }
}

#[tokio::test]
async fn a_real_prosody_does_not_serve_other_domains() {
    let prosody = Prosody::start("other.example").await;
    let cx = prosody.run();
    for id in ["jitsi.bosh", "jitsi.websocket"] {
        expect(&cx, id, Outcome::Fail, Some("xmpp-domain-mismatch")).await;
    }
}
