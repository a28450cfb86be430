//! Where a report goes: standard output, or a file that appears whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::{Format, SinkError, Spec};

/// An open destination.
pub(crate) struct Output {
    format: Format,
    to: String,
    place: Place,
}

enum Place {
    /// Anything that is written to as it comes.
    Stream(Box<dyn Write + Send>),
    /// A file under a temporary name beside its own, until [`Output::finish`].
    Pending(NamedTempFile, PathBuf),
    /// The reader went away, or all is written.
    Closed,
}

impl Output {
    /// Opens what `spec` names: a file at once, so that a path that cannot be written is known
    /// before the run and not after it.
    pub(crate) fn open(spec: &Spec) -> Result<Self, SinkError> {
        let Some(path) = &spec.path else {
            return Ok(Self::stream(spec.format, io::stdout()));
        };
        let to = path.display().to_string();
        match place(path, spec.format == Format::Ndjson) {
            Ok(place) => Ok(Self { format: spec.format, to, place }),
            Err(source) => Err(SinkError::Write { format: spec.format, to, source }),
        }
    }

    /// Writes to a stream whose end of reading is no error.
    pub(crate) fn stream(format: Format, stream: impl Write + Send + 'static) -> Self {
        Self { format, to: "standard output".into(), place: Place::Stream(Box::new(stream)) }
    }

    /// Writes and flushes.
    pub(crate) fn write(&mut self, text: &str) -> Result<(), SinkError> {
        let written = match &mut self.place {
            Place::Stream(stream) => {
                stream.write_all(text.as_bytes()).and_then(|()| stream.flush())
            }
            Place::Pending(file, _) => file.write_all(text.as_bytes()),
            Place::Closed => Ok(()),
        };
        written.or_else(|source| {
            self.place = Place::Closed;
            self.unless_closed(source)
        })
    }

    /// Gives a file its own name. Nothing can be written after.
    pub(crate) fn finish(&mut self) -> Result<(), SinkError> {
        match std::mem::replace(&mut self.place, Place::Closed) {
            Place::Pending(file, path) => {
                let moved = file.as_file().sync_data().and_then(|()| Ok(file.persist(path)?));
                moved.map(drop).or_else(|source| self.unless_closed(source))
            }
            Place::Stream(_) | Place::Closed => Ok(()),
        }
    }

    fn unless_closed(&self, source: io::Error) -> Result<(), SinkError> {
        match source.kind() {
            io::ErrorKind::BrokenPipe => Ok(()),
            _ => Err(SinkError::Write { format: self.format, to: self.to.clone(), source }),
        }
    }
}

/// A stream of events is valid at every line, and followed while it grows: it needs no temporary
/// name, as do devices and pipes.
fn place(path: &Path, grows: bool) -> io::Result<Place> {
    // The file that a symbolic link names is to be replaced, not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match fs::metadata(&path) {
        Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(found) if !found.is_file() => {
            let device = OpenOptions::new().append(true).open(path)?;
            return Ok(Place::Stream(Box::new(device)));
        }
        _ if grows => return Ok(Place::Stream(Box::new(File::create(path)?))),
        _ => {}
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::metadata(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".mxdoctor-").suffix(".partial");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Less the umask, as for any other file.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let file = builder.tempfile_in(folder).map_err(plain)?;
    Ok(Place::Pending(file, path))
}

/// What is wrong, without the temporary name that says nothing to the reader.
fn plain(error: io::Error) -> io::Error {
    error.kind().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_went_away_is_no_error() {
        let (reader, writer) = io::pipe().expect("a pipe");
        let mut out = Output::stream(Format::Ndjson, writer);
        out.write("read\n").expect("written");
        drop(reader);
        out.write("unread\n").expect("no error");
        assert!(matches!(out.place, Place::Closed));
        out.write("silence\n").expect("no error");
        out.finish().expect("no error");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_and_what_it_names_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").expect("written");
        std::os::unix::fs::symlink(&real, &link).expect("a link");
        let spec = Spec { format: Format::Json, path: Some(link.clone()) };
        let mut out = Output::open(&spec).expect("opened");
        out.write("new").expect("written");
        out.finish().expect("renamed");
        assert!(fs::symlink_metadata(&link).expect("the link").is_symlink());
        assert_eq!(fs::read_to_string(&real).expect("the file"), "new");
    }
}
