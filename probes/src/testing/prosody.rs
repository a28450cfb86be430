//! A real Prosody behind a real nginx, as Jitsi Meet runs them.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use url::Url;

use super::{Authority, Process, config, free_address};
use crate::Net;

const NAME: &str = "meet.example.org";

/// Runs as long as it is kept.
pub(crate) struct Prosody {
    pub(crate) net: Net,
    _processes: [Process; 2],
    _folder: TempDir,
}

impl Prosody {
    /// Domains: `meet.jitsi` for guests; `auth.meet.jitsi`, `sha1.`, `plain.` and `none.` with the
    /// user `romeo` whose password is `pencil`, by the mechanisms of their names; rooms at `muc.`,
    /// `full.` (one occupant), `focus-only.` (nobody may create one).
    pub(crate) async fn start() -> Self {
        Self::start_with(|config| config).await
    }

    /// The same with another configuration.
    pub(crate) async fn start_with(change: impl FnOnce(String) -> String) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path();
        let (http, tls) = (free_address(), free_address());
        let settings = change(CONFIG.to_owned())
            .replace("DIR", &dir.display().to_string())
            .replace("PORT", &http.port().to_string());
        let file = write(dir, "prosody.cfg.lua", &settings);
        write(dir, "mod_one_occupant.lua", ONE_OCCUPANT);
        for host in ["auth", "sha1", "plain", "none"] {
            let account = format!("data/{host}%2emeet%2ejitsi/accounts/romeo.dat");
            write(dir, &account, "return { password = \"pencil\" };\n");
        }
        let prosody = Process::start("prosody", &["-F", "--config", &file], http).await;
        let root = Authority::root("Root");
        let identity = root.leaf(NAME);
        write(dir, "key.pem", &identity.key.serialize_pem());
        write(dir, "cert.pem", &identity.chain_pem());
        let settings = NGINX
            .replace("DIR", &dir.display().to_string())
            .replace("TLS", &tls.to_string())
            .replace("HTTP", &http.to_string());
        let file = write(dir, "nginx.conf", &settings);
        let log = dir.join("nginx.log").display().to_string();
        let nginx = Process::start("nginx", &["-e", &log, "-c", &file], tls).await;
        let mut config = config(&root, &[(NAME, 443, tls), (NAME, 80, http)]);
        // The tests' machine may be slow.
        config.request_timeout = std::time::Duration::from_secs(30);
        Self { net: Net::new(config), _processes: [prosody, nginx], _folder: folder }
    }

    /// Where a carrier is found; `wss` or `https`, or without encryption `ws` or `http`.
    pub(crate) fn url(scheme: &str) -> Url {
        let path = if scheme.starts_with("ws") { "xmpp-websocket" } else { "http-bind" };
        Url::parse(&format!("{scheme}://{NAME}/{path}?room=probe")).expect("a URL")
    }
}

fn write(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(&path, text).expect("written");
    path.display().to_string()
}

const CONFIG: &str = r#"
run_as_root = true
data_path = "DIR/data"
log = { { levels = { min = "debug" }, to = "file", filename = "DIR/prosody.log" } }
plugin_paths = { "DIR" }
modules_enabled = { "disco", "saslauth", "ping", "bosh", "websocket", "external_services" }
modules_disabled = { "s2s", "offline" }
interfaces = { "127.0.0.1" }
http_interfaces = { "127.0.0.1" }
c2s_ports = {}
c2s_direct_tls_ports = {}
http_ports = { PORT }
https_ports = {}
http_default_host = "meet.jitsi"
muc_room_locking = false
trusted_proxies = { "127.0.0.1" }
consider_bosh_secure = true
consider_websocket_secure = true
c2s_require_encryption = false
external_services = {
    { type = "turn", host = "turn.example.org", port = 3478, transport = "udp",
      username = "u", password = "ladder" };
    { type = "stun", host = "stun.example.org", port = 3478, transport = "udp" };
}

VirtualHost "meet.jitsi"
    authentication = "anonymous"

VirtualHost "auth.meet.jitsi"
    authentication = "internal_plain"

VirtualHost "sha1.meet.jitsi"
    authentication = "internal_plain"
    disable_sasl_mechanisms = { "SCRAM-SHA-256" }

VirtualHost "plain.meet.jitsi"
    authentication = "internal_plain"
    disable_sasl_mechanisms = { "SCRAM-SHA-256", "SCRAM-SHA-1" }

VirtualHost "none.meet.jitsi"
    authentication = "internal_plain"
    disable_sasl_mechanisms = { "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN" }

Component "muc.meet.jitsi" "muc"

Component "full.meet.jitsi" "muc"
    modules_enabled = { "one_occupant" }

Component "focus-only.meet.jitsi" "muc"
    restrict_room_creation = true
"#;

/// What Jitsi's `mod_muc_max_occupants` answers.
const ONE_OCCUPANT: &str = r#"
local st = require "util.stanza";
module:hook("muc-occupant-pre-join", function (event)
    if next(event.room._occupants) then
        event.origin.send(st.error_reply(event.stanza, "cancel", "service-unavailable"));
        return true;
    end
end);
"#;

const NGINX: &str = r#"
daemon off; pid DIR/nginx.pid; error_log DIR/nginx.log; worker_processes 1;
events { worker_connections 128; }
http {
    access_log off; client_body_temp_path DIR/a; proxy_temp_path DIR/b;
    fastcgi_temp_path DIR/c; uwsgi_temp_path DIR/d; scgi_temp_path DIR/e;
    map $http_upgrade $connection_upgrade { default upgrade; '' close; }
    server {
        listen TLS ssl http2;
        ssl_certificate DIR/cert.pem; ssl_certificate_key DIR/key.pem;
        proxy_http_version 1.1;
        proxy_set_header Host meet.jitsi;
        proxy_set_header X-Forwarded-For $remote_addr;
        location = /http-bind { proxy_pass http://HTTP/http-bind?$args; proxy_buffering off; }
        location = /xmpp-websocket {
            proxy_pass http://HTTP/xmpp-websocket?$args;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header Upgrade $http_upgrade;
            tcp_nodelay on;
        }
    }
}
"#;
