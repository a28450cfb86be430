//! One test conference at a time on one deployment.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

/// How often a lease that another run holds is asked for again.
const AGAIN: Duration = Duration::from_millis(250);

/// The right to hold a test conference on a deployment: a lock on a file, which the system gives
/// back when this process ends, however it ends. The file goes with it as a rule.
#[derive(Debug)]
pub struct Lease {
    file: File,
    path: PathBuf,
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Still locked: who waits for this very file sees that it is gone, and makes another.
        if is_at(&self.file, &self.path) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Whether that file is the one at that path.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(held), Ok(there)) = (file.metadata(), std::fs::metadata(path)) else { return false };
    (held.dev(), held.ino()) == (there.dev(), there.ino())
}

/// Why there is no lease.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Another run held it all the time.
    #[error("another run has held {} for {waited:?}", .path.display())]
    Held {
        /// The file.
        path: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The file cannot be opened or locked.
    #[error("{}: {error}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
}

impl Lease {
    /// Takes the lease of a deployment, waiting up to `limit` for another run to end.
    ///
    /// Runs on several machines share it when `folder` is on a volume that they share.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub async fn take(
        folder: &Path,
        deployment: &str,
        limit: Duration,
    ) -> Result<Self, LeaseError> {
        let path = folder.join(file_name(deployment));
        let trouble = |error| LeaseError::File { path: path.clone(), error };
        let started = Instant::now();
        loop {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(trouble)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => return Ok(Self { file, path }),
                // Who held it before took it away.
                Ok(()) => {}
                Err(TryLockError::Error(error)) => return Err(trouble(error)),
                Err(TryLockError::WouldBlock) if started.elapsed() >= limit => {
                    return Err(LeaseError::Held { path, waited: limit });
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(AGAIN).await,
            }
        }
    }
}

fn file_name(deployment: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, deployment.as_bytes());
    let unique: String = digest.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let name = |c: &char| c.is_ascii_alphanumeric() || *c == '.';
    let host: String = deployment.chars().filter(name).take(64).collect();
    format!("mxdoctor-{host}-{unique}.lease")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_at_a_time_and_given_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let take = || Lease::take(folder.path(), "meet.example.org", Duration::ZERO);
        let first = take().await.expect("free");
        assert!(matches!(take().await, Err(LeaseError::Held { .. })));
        let other = Lease::take(folder.path(), "meet.example.net", Duration::ZERO).await;
        assert!(other.is_ok(), "another deployment is another lease");
        drop(other);
        drop(first);
        assert!(take().await.is_ok());
        let left = std::fs::read_dir(folder.path()).expect("readable").count();
        assert_eq!(left, 0, "nothing is left");
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_is_said() {
        let error = Lease::take(Path::new("/no/such/folder"), "x", Duration::ZERO).await;
        assert!(matches!(error, Err(LeaseError::File { .. })));
    }
}
