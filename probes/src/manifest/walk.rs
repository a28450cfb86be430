//! The way through folders to manifests.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::files::{Files, TroubleKind, is_manifest, shown, unopened};
use super::{Object, Place, Source, kustomize};

/// The most folders that are looked into.
const MAX_FOLDERS: usize = 20_000;
/// The deepest folder below the one that was given.
const MAX_DEPTH: usize = 32;

/// What a walk through folders comes upon.
#[derive(Default)]
pub(super) struct Walk {
    /// The folders and files that were there, by their real paths: a link leads to some anew, and
    /// two paths of a command line may overlap.
    seen: HashSet<PathBuf>,
    pub(super) loose: Vec<Object>,
    /// The folders with a kustomization.
    pub(super) folders: Vec<PathBuf>,
}

impl Walk {
    /// Looks through a folder; `below` a kustomization only for others of them, because files there
    /// are brought in by it, or by nobody.
    pub(super) fn folder(&mut self, files: &mut Files, folder: &Path, depth: usize, below: bool) {
        let here = Place::start(&Source::file(shown(folder), ""));
        let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        if self.seen.contains(&real) {
            return;
        }
        if depth > MAX_DEPTH || self.seen.len() >= MAX_FOLDERS {
            return files
                .no_more(here, "this and more folders were not read: too many or too deep");
        }
        self.seen.insert(real);
        let built = kustomize::file(folder).is_some();
        if built {
            self.folders.push(folder.to_owned());
            // What was asked about is this one.
            if depth == 0 {
                return;
            }
        }
        let below = below || built;
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return files.trouble(TroubleKind::Limit, here, unopened(&error)),
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') {
                continue;
            }
            if path.is_dir() {
                self.folder(files, &path, depth + 1, below);
            } else if !below && is_manifest(&path) {
                self.file(files, &path, false);
            }
        }
    }

    /// The objects of a file that is part of no kustomization. A pipe is read only where it was
    /// `named`: `mxdoctor lint <(helm template …)`.
    pub(super) fn file(&mut self, files: &mut Files, path: &Path, named: bool) {
        if fs::canonicalize(path).is_ok_and(|real| !self.seen.insert(real)) {
            return;
        }
        let source = if named { files.opened(path) } else { files.met(path) };
        self.loose.extend(source.map(|source| files.objects(&source)).unwrap_or_default());
    }
}
