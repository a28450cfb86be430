//! The real kustomize, for what is not read here.

use std::env;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::manifest::yaml::{self, MAX_BYTES};
use crate::manifest::{Node, Object, Place, Source, Value};

/// How long a build may take; it may have to fetch a remote folder.
const TIME: Duration = Duration::from_secs(60);
/// The longest complaint that is passed on, in characters.
const COMPLAINT: usize = 300;

/// A program that builds kustomizations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    program: PathBuf,
    arguments: &'static [&'static str],
}

impl Tool {
    /// The one on the PATH: `kubectl kustomize`, or `kustomize build`.
    pub fn on_path() -> Option<Self> {
        let path = env::var_os("PATH")?;
        let find =
            |name: &str| env::split_paths(&path).map(|it| it.join(name)).find(|it| it.is_file());
        find("kubectl")
            .map(|program| Self::new(program, &["kustomize"]))
            .or_else(|| find("kustomize").map(|program| Self::new(program, &["build"])))
    }

    /// A program, with the arguments before the folder.
    pub fn new(program: PathBuf, arguments: &'static [&'static str]) -> Self {
        Self { program, arguments }
    }

    /// What it builds of a folder.
    ///
    /// Neither plugins nor charts are allowed to it, and of the environment it gets the PATH alone.
    ///
    /// # Errors
    /// What it says, or that it takes too long or says too much.
    pub fn build(&self, folder: &Path) -> Result<String, String> {
        let mut command = Command::new(&self.program);
        command.args(self.arguments).arg(folder).env_clear();
        command.envs(env::var_os("PATH").map(|path| ("PATH", path)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let output = child.stdout.take().map(read);
        let complaint = child.stderr.take().map(read);
        let status = wait(&mut child)?;
        let text = |taken: Option<mpsc::Receiver<Vec<u8>>>| {
            let bytes = taken.and_then(|it| it.recv_timeout(Duration::from_secs(5)).ok());
            bytes.unwrap_or_default()
        };
        if !status {
            let said = String::from_utf8_lossy(&text(complaint)).trim().to_owned();
            let lines = said.lines().filter(|line| !line.starts_with("# Warning"));
            return Err(lines.collect::<Vec<_>>().join(" ").chars().take(COMPLAINT).collect());
        }
        let bytes = text(output);
        if bytes.len() > MAX_BYTES {
            return Err(format!("it says more than {} MiB", MAX_BYTES >> 20));
        }
        String::from_utf8(bytes).map_err(|_| "what it says is not UTF-8".to_owned())
    }
}

impl fmt::Display for Tool {
    /// `kubectl kustomize`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.program.file_name().unwrap_or_default().to_string_lossy();
        write!(f, "{name} {}", self.arguments.join(" "))
    }
}

/// Reads all there is, and keeps what is not too much, so that nobody waits for a reader.
fn read(mut from: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut kept = Vec::new();
        let mut part = vec![0; 64 << 10];
        while let Ok(length @ 1..) = from.read(&mut part) {
            if kept.len() <= MAX_BYTES {
                kept.extend_from_slice(&part[..length]);
            }
        }
        let _nobody_waits = send.send(kept);
    });
    receive
}

/// Whether it succeeded.
fn wait(child: &mut Child) -> Result<bool, String> {
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) if began.elapsed() < TIME => thread::sleep(Duration::from_millis(20)),
            Ok(None) => {
                let _ended = child.kill().and_then(|()| child.wait());
                return Err(format!("it takes more than {} seconds", TIME.as_secs()));
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// The objects of a text that was built elsewhere, each value with the place of the same value of
/// our own reading; where there is none, with that of what is above it.
pub(super) fn placed(text: &str, own: &[Object], place: &Place) -> Vec<Object> {
    let source = Source::file("built", text);
    let documents = yaml::documents(&source).unwrap_or_default();
    let mut objects = Vec::new();
    for mut node in documents {
        let same = |object: &&Object| {
            let name = node.at("metadata.name").and_then(Node::scalar);
            node.str("kind") == Some(object.kind()) && name == Some(object.name())
        };
        let known = own.iter().find(same).map(|object| &object.node);
        put(&mut node, known, place);
        objects.extend(Object::new(node));
    }
    objects
}

fn put(node: &mut Node, known: Option<&Node>, above: &Place) {
    node.place = known.map_or(above, |known| &known.place).clone();
    let here = node.place.clone();
    match (&mut node.value, known) {
        (Value::List(items), known) => {
            for (at, item) in items.iter_mut().enumerate() {
                put(item, known.and_then(|known| known.items().get(at)), &here);
            }
        }
        (Value::Map(entries), known) => {
            for entry in entries {
                let same = known.and_then(|known| known.entry(&entry.key));
                entry.place = same.map_or(&here, |same| &same.place).clone();
                put(&mut entry.node, same.map(|same| &same.node), &here);
            }
        }
        (Value::Text(text), known) => {
            text.block = match known.map(|known| &known.value) {
                Some(Value::Text(known)) if known.text == text.text => known.block,
                _ => None,
            };
        }
        _ => {}
    }
}
