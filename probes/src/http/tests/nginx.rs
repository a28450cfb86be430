use super::helpers::{NAME, get};
use crate::Net;
use crate::http::Request;
use crate::testing::{Authority, Process, config, free_address};
use crate::tls::HandshakeError;

/// A real ingress: HTTP/2, the redirect to https, a dead upstream, the wrong port's answer.
#[tokio::test]
async fn nginx_answers() {
    let root = Authority::root("Root");
    let intermediate = root.intermediate("Intermediate");
    let identity = intermediate.leaf(NAME).with(&intermediate);
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().display().to_string();
    std::fs::write(folder.path().join("key.pem"), identity.key.serialize_pem()).expect("the key");
    std::fs::write(folder.path().join("cert.pem"), identity.chain_pem()).expect("the chain");
    let (plain, tls, dead) = (free_address(), free_address(), free_address());
    let nginx = format!(
        "daemon off; pid {dir}/pid; error_log {dir}/error.log; worker_processes 1;\n\
         events {{ worker_connections 64; }}\n\
         http {{ access_log off; client_body_temp_path {dir}/a; proxy_temp_path {dir}/b;\n\
         fastcgi_temp_path {dir}/c; uwsgi_temp_path {dir}/d; scgi_temp_path {dir}/e;\n\
         server {{ listen {plain}; return 301 https://$host$request_uri; }}\n\
         server {{ listen {tls} ssl http2; server_name {NAME};\n\
         ssl_certificate {dir}/cert.pem; ssl_certificate_key {dir}/key.pem;\n\
         location / {{ return 200 'from nginx'; }}\n\
         location /dead {{ proxy_pass http://{dead}; }} }} }}\n"
    );
    let file = folder.path().join("nginx.conf").display().to_string();
    std::fs::write(&file, nginx).expect("the configuration");
    let log = format!("{dir}/error.log");
    let _nginx = Process::start("nginx", &["-e", &log, "-c", &file], tls).await;
    let net = Net::new(config(&root, &[(NAME, 80, plain), (NAME, 443, tls)]));
    let request = Request { redirects: 3, ..get("http://matrix.example.org/x") };
    let exchange = net.http(request).await.expect("an answer");
    let statuses: Vec<_> = exchange.hops.iter().map(|hop| hop.status.as_u16()).collect();
    assert_eq!((statuses, exchange.last().version), (vec![301, 200], "HTTP/2"));
    assert_eq!(exchange.last().text(), "from nginx");
    let dead = net.http(get(&format!("https://{NAME}/dead"))).await.expect("an answer");
    assert_eq!(dead.last().status.as_u16(), 502);
    assert!(dead.last().header("server").is_some_and(|server| server.starts_with("nginx")));
    assert!(dead.last().timings.handshake.is_zero() && dead.last().session.is_some());
    let session = net.handshake(NAME, tls).await.expect("a session");
    assert!(session.verification.accepted());
    assert_eq!(session.chain.len(), 2);
    let wrong = Net::new(config(&root, &[(NAME, 80, tls)]));
    let exchange = wrong.http(get("http://matrix.example.org/")).await.expect("an answer");
    assert_eq!(exchange.last().status.as_u16(), 400);
    let error = net.handshake(NAME, plain).await.expect_err("no TLS there");
    assert!(matches!(&error, HandshakeError::NotTls(text) if text.contains("400 Bad")), "{error}");
}
