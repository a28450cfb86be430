//! Real servers as processes of their own.

use std::io::Read as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;

/// A running server, ended with the test.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts a program and waits until it accepts connections. A program that is not there fails
    /// the test: `cargo xtask test` installs it.
    pub(crate) async fn start(program: &str, arguments: &[&str], address: SocketAddr) -> Self {
        let program = find(program);
        let child = Command::new(&program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program} does not start: {error}"));
        let mut process = Self { child };
        eventually(&program, async || {
            if let Some(status) = process.child.try_wait().expect("its state") {
                let mut said = String::new();
                let stderr = process.child.stderr.as_mut().expect("a pipe");
                stderr.read_to_string(&mut said).expect("text");
                panic!("{program} ended early ({status}): {said}");
            }
            TcpStream::connect(address).await.ok()
        })
        .await;
        process
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// System programs are not on every user's path.
fn find(program: &str) -> String {
    let places = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
    places
        .iter()
        .map(|place| format!("{place}/{program}"))
        .find(|path| Path::new(path).exists())
        .unwrap_or_else(|| panic!("{program} is not installed; cargo xtask test installs it"))
}

/// A port that nothing listens on just now.
pub(crate) fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}

/// What `look` sees as soon as it sees something; far beyond what a slow machine needs, the test
/// fails.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..1000 {
        if let Some(seen) = look().await {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what}: not in time");
}
