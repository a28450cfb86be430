//! What one run leaves for the next: small JSON files in a folder of the operator's.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The layout of the files.
const FORMAT: u32 = 1;
/// Bytes of a file that are read at most.
const LIMIT: u64 = 1024 * 1024;

/// A folder with one file for each server name and kind of thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    folder: PathBuf,
    chosen: bool,
}

/// Why something was not read or written. The file stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The system refuses.
    #[error("{path} cannot be {verb}: {reason}")]
    Refused {
        /// File or folder.
        path: String,
        /// `read` or `written`.
        verb: &'static str,
        /// What the system says.
        reason: String,
    },
    /// The file is not ours, or of another version, or damaged.
    #[error("{path} is not a state file of this tool for {server_name}: {reason}")]
    Foreign {
        /// The file.
        path: String,
        /// Whose state was looked for.
        server_name: String,
        /// What was found instead.
        reason: String,
    },
}

/// A file's content.
#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    mxdoctor_state: u32,
    server_name: String,
    kind: String,
    value: T,
}

impl State {
    /// The folder that the operator chose.
    pub fn chosen(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), chosen: true }
    }

    /// The usual folder: `mxdoctor` in `XDG_STATE_HOME`, else in `.local/state` of the home folder
    /// (XDG Base Directory Specification: a path that is not absolute is ignored).
    pub fn usual(xdg_state_home: Option<&Path>, home: Option<&Path>) -> Option<Self> {
        let absolute = |path: &&Path| path.is_absolute();
        let base = match xdg_state_home.filter(absolute) {
            Some(base) => base.to_owned(),
            None => home.filter(absolute)?.join(".local/state"),
        };
        Some(Self { folder: base.join("mxdoctor"), chosen: false })
    }

    /// Whether the operator chose the folder. One that was not chosen need not be there.
    pub fn is_chosen(&self) -> bool {
        self.chosen
    }

    /// The file of a kind of thing (`keys`) of a server name.
    pub fn path(&self, server_name: &str, kind: &str) -> PathBuf {
        let mut name = String::new();
        for byte in server_name.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => name.push(byte.into()),
                other => name.push_str(&format!("%{other:02X}")),
            }
        }
        self.folder.join(format!("{name}.{kind}.json"))
    }

    /// What was stored; none if nothing was.
    ///
    /// # Errors
    /// [`StateError`] where there is a file and it cannot be used.
    pub fn load<T: DeserializeOwned>(
        &self,
        server_name: &str,
        kind: &str,
    ) -> Result<Option<T>, StateError> {
        let path = self.path(server_name, kind);
        let Some(value) = self.envelope(server_name, kind)? else { return Ok(None) };
        let read = serde_json::from_value(value);
        read.map(Some).map_err(|error| foreign(&path, server_name, error.to_string()))
    }

    /// Stores a value in place of what was stored: under a temporary name, renamed when it is
    /// whole. Only the owner can read the file.
    ///
    /// # Errors
    /// [`StateError`]; a file that is there and is not ours is left alone.
    pub fn store<T: Serialize>(
        &self,
        server_name: &str,
        kind: &str,
        value: &T,
    ) -> Result<(), StateError> {
        self.envelope(server_name, kind)?;
        let path = self.path(server_name, kind);
        let refused = |error: io::Error| refused(&path, "written", &error);
        let envelope = Envelope {
            mxdoctor_state: FORMAT,
            server_name: server_name.to_owned(),
            kind: kind.to_owned(),
            value,
        };
        let text =
            serde_json::to_vec_pretty(&envelope).map_err(io::Error::from).map_err(refused)?;
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(refused)?;
        let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
        let written = write(&temporary, &text).and_then(|()| fs::rename(&temporary, &path));
        written.map_err(|error| {
            let _ = fs::remove_file(&temporary);
            refused(error)
        })
    }

    /// Forgets what was stored.
    ///
    /// # Errors
    /// [`StateError`]; a file that is there and is not ours is left alone.
    pub fn remove(&self, server_name: &str, kind: &str) -> Result<(), StateError> {
        if self.envelope(server_name, kind)?.is_none() {
            return Ok(());
        }
        let path = self.path(server_name, kind);
        fs::remove_file(&path).map_err(|error| refused(&path, "written", &error))
    }

    /// What is in the file, if it is there and ours.
    fn envelope(&self, server_name: &str, kind: &str) -> Result<Option<Value>, StateError> {
        let path = self.path(server_name, kind);
        let mut text = String::new();
        let read = fs::File::open(&path)
            .and_then(|file| file.take(LIMIT).read_to_string(&mut text).map(|_| ()));
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(foreign(&path, server_name, "it is not text".into()));
            }
            Err(error) => return Err(refused(&path, "read", &error)),
            Ok(()) => {}
        }
        let envelope: Envelope<Value> = serde_json::from_str(&text)
            .map_err(|error| foreign(&path, server_name, error.to_string()))?;
        let Envelope { mxdoctor_state, server_name: of, kind: what, value } = envelope;
        let other = if mxdoctor_state != FORMAT {
            Some(format!("its version is {mxdoctor_state}, expected {FORMAT}"))
        } else if of != server_name {
            Some(format!("it is that of {of}"))
        } else if what != kind {
            Some(format!("it holds {what}, expected {kind}"))
        } else {
            None
        };
        match other {
            Some(reason) => Err(foreign(&path, server_name, reason)),
            None => Ok(Some(value)),
        }
    }
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

fn refused(path: &Path, verb: &'static str, error: &io::Error) -> StateError {
    StateError::Refused { path: path.display().to_string(), verb, reason: error.to_string() }
}

fn foreign(path: &Path, server_name: &str, reason: String) -> StateError {
    let path = path.display().to_string();
    StateError::Foreign { path, server_name: server_name.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const NAME: &str = "[2001:db8::1]:8448";

    fn state(folder: &tempfile::TempDir) -> State {
        State::chosen(folder.path().join("deep/er"))
    }

    #[test]
    fn what_is_stored_is_loaded_by_its_name_and_kind() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = state(&folder);
        assert_eq!(state.load::<Vec<u32>>(NAME, "keys"), Ok(None));
        state.store(NAME, "keys", &vec![1, 2]).expect("stored");
        state.store(NAME, "keys", &vec![3]).expect("stored again");
        assert_eq!(state.load(NAME, "keys"), Ok(Some(vec![3])));
        assert_eq!(state.load::<Vec<u32>>(NAME, "journal"), Ok(None));
        assert_eq!(state.load::<Vec<u32>>("example.org", "keys"), Ok(None));
        let path = state.path(NAME, "keys");
        assert!(path.ends_with("%5B2001%3Adb8%3A%3A1%5D%3A8448.keys.json"), "{path:?}");
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path().join("deep/er")).expect("a folder").count(), 1);
        state.remove(NAME, "keys").expect("removed");
        state.remove(NAME, "keys").expect("nothing to remove");
        assert_eq!(state.load::<Vec<u32>>(NAME, "keys"), Ok(None));
    }

    #[test]
    fn a_file_that_is_not_ours_is_told_and_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = state(&folder);
        state.store(NAME, "keys", &vec![1]).expect("stored");
        let path = state.path(NAME, "keys");
        let ours = fs::read_to_string(&path).expect("readable");
        let other_kind = ours.replace("\"keys\"", "\"journal\"");
        let other_name = ours.replace("2001", "2002");
        let newer = ours.replace("\"mxdoctor_state\": 1", "\"mxdoctor_state\": 2");
        for text in ["", "{}", "not JSON", "\u{0}", &other_kind, &other_name, &newer] {
            fs::write(&path, text).expect("written");
            for error in [
                state.load::<Vec<u32>>(NAME, "keys").expect_err(text),
                state.store(NAME, "keys", &vec![2]).expect_err(text),
                state.remove(NAME, "keys").expect_err(text),
            ] {
                assert!(matches!(error, StateError::Foreign { .. }), "{error}");
                assert!(error.to_string().contains(&path.display().to_string()), "{error}");
            }
            assert_eq!(fs::read_to_string(&path).expect("there"), text);
        }
        fs::write(&path, [0xff, 0xfe]).expect("written");
        assert!(state.load::<Vec<u32>>(NAME, "keys").is_err());
        // Ours, and another thing in it than expected.
        fs::write(&path, &ours).expect("written");
        assert!(matches!(state.load::<String>(NAME, "keys"), Err(StateError::Foreign { .. })));
    }

    #[test]
    fn a_folder_that_cannot_be_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "").expect("written");
        let state = State::chosen(file.join("state"));
        let error = state.store(NAME, "keys", &1).expect_err("no folder in a file");
        assert!(matches!(error, StateError::Refused { .. }), "{error}");
    }

    #[test]
    fn the_usual_folder_is_that_of_the_specification() {
        let usual = |xdg: Option<&str>, home: Option<&str>| {
            State::usual(xdg.map(Path::new), home.map(Path::new)).map(|state| state.folder)
        };
        assert_eq!(usual(Some("/s"), Some("/home/u")), Some("/s/mxdoctor".into()));
        assert_eq!(usual(Some("s"), Some("/home/u")), Some("/home/u/.local/state/mxdoctor".into()));
        assert_eq!(usual(None, None), None);
    }
}
