//! Servers on loopback that live as long as the test's runtime.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Calls `serve` for each connection.
pub(crate) async fn listen<F, S>(serve: S) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
    S: Fn(TcpStream) -> F + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

/// Speaks HTTP on a connection until it ends; `h2` or 1.1.
pub(crate) async fn serve_http<S, H, F>(stream: S, h2: bool, handle: H)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(http::Request<Incoming>) -> F + Send,
    F: Future<Output = http::Response<Full<Bytes>>> + Send + 'static,
{
    let service = service_fn(|request| {
        let answer = handle(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let io = TokioIo::new(stream);
    // A client that goes away is what some tests are about.
    if h2 {
        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let _ = server.serve_connection(io, service).await;
    } else {
        let server = hyper::server::conn::http1::Builder::new();
        let _ = server.serve_connection(io, service).await;
    }
}

/// A server of HTTP over TLS that counts its connections.
pub(crate) struct TlsServer {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl TlsServer {
    pub(crate) async fn new<H, F>(config: Arc<ServerConfig>, handle: H) -> Self
    where
        H: Fn(http::Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = http::Response<Full<Bytes>>> + Send + 'static,
    {
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        let address = listen(move |stream| {
            let (acceptor, handle) = (TlsAcceptor::from(config.clone()), handle.clone());
            count.fetch_add(1, Ordering::SeqCst);
            async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                    serve_http(stream, h2, handle).await;
                }
            }
        })
        .await;
        Self { address, connections }
    }

    /// Answers `hello` to everything.
    pub(crate) async fn hello(config: Arc<ServerConfig>) -> Self {
        Self::new(config, |_| async { http::Response::new(Full::from("hello")) }).await
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}
