use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

use crate::http::{HttpError, Request};
use crate::testing::{Authority, config, listen, serve_http};
use crate::{Net, NetConfig};

pub(super) const NAME: &str = "matrix.example.org";
pub(super) const PATIENCE: Duration = Duration::from_millis(400);

pub(super) fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL")
}

pub(super) fn get(text: &str) -> Request {
    Request::get(url(text))
}

pub(super) fn answer(body: &str) -> http::Response<Full<Bytes>> {
    http::Response::new(Full::from(body.to_owned()))
}

pub(super) fn redirect(status: u16, location: &str) -> http::Response<Full<Bytes>> {
    let mut answer = answer("");
    *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
    answer.headers_mut().insert("location", location.parse().expect("a value"));
    answer
}

/// What a request looks like to the server.
pub(super) async fn seen(request: http::Request<Incoming>) -> http::Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let header = |name| head.headers.get(name).map(|value| value.to_str().expect("text"));
    let host = header("host").or(head.uri.authority().map(|authority| authority.as_str()));
    let text = format!(
        "{} {} host={} agent={} accept={} body={}",
        head.method,
        head.uri.path_and_query().expect("a path"),
        host.unwrap_or("-"),
        header("user-agent").unwrap_or("-"),
        header("accept").unwrap_or("-"),
        String::from_utf8_lossy(&body),
    );
    answer(&text)
}

/// A plain server that handles requests so.
pub(super) async fn plain<H, F>(handle: H) -> SocketAddr
where
    H: Fn(http::Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = http::Response<Full<Bytes>>> + Send + 'static,
{
    listen(move |stream| serve_http(stream, false, handle.clone())).await
}

/// A server that reads the request and then does so.
pub(super) async fn raw<F: Future<Output = ()> + Send + 'static>(
    then: impl Fn(TcpStream) -> F + Clone + Send + Sync + 'static,
) -> SocketAddr {
    listen(move |mut stream| {
        let then = then.clone();
        async move {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            then(stream).await;
        }
    })
    .await
}

pub(super) async fn write(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.expect("the client reads");
}

/// Trusts nobody, goes to `address` for the name.
pub(super) fn net(address: SocketAddr) -> Net {
    let root = Authority::root("Root");
    let config = config(&root, &[(NAME, 80, address), (NAME, 443, address)]);
    Net::new(NetConfig { request_timeout: PATIENCE, connect_timeout: PATIENCE, ..config })
}

pub(super) async fn error_of(address: SocketAddr) -> HttpError {
    net(address).http(get("http://matrix.example.org/")).await.expect_err("no answer")
}
