//! Safe changes, made in the files.

use std::collections::{BTreeMap, HashSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mxdoctor_checks::lint::{Change, Fix, Problem};
use mxdoctor_probes::manifest::Source;
use mxdoctor_probes::manifest::files::Tree;

/// What some editors put before the first line.
const MARK: &str = "\u{feff}";
/// Lines of context in a diff.
const CONTEXT: usize = 3;

/// What is to be changed, file by file.
#[derive(Debug, Default)]
pub struct Edits {
    files: BTreeMap<String, File>,
    marks: BTreeMap<String, Option<&'static str>>,
    /// How many fixes it is made of.
    pub fixes: usize,
    /// What is not changed, and why.
    pub left: Vec<String>,
}

#[derive(Debug)]
struct File {
    source: Arc<Source>,
    /// By line, from 0, what stands there instead.
    lines: BTreeMap<usize, Vec<String>>,
}

/// The changes of all problems that have a safe one, within the given paths. Where two would change
/// one line, the first is made. What a kustomization says, or a JSON patch, is no text of an
/// object: it is left alone, and so is what would write a name that a kustomization makes.
pub fn edits(tree: &Tree, problems: &[Problem], within: &[PathBuf]) -> Edits {
    let mut edits = Edits::default();
    let built = tree.deployments.iter().map(|one| &one.inventory);
    let inputs = built.clone().flat_map(|one| &one.kustomizations).flat_map(|it| &it.inputs);
    let inputs: HashSet<&str> = inputs.map(String::as_str).collect();
    let made: HashSet<&str> =
        built.flat_map(|one| &one.renamed).map(|renamed| renamed.to.as_str()).collect();
    let inside: Vec<PathBuf> = within.iter().filter_map(|path| path.canonicalize().ok()).collect();
    let mut done: Vec<&Fix> = Vec::new();
    for problem in problems {
        let Some(fix) = &problem.fix else { continue };
        if done.contains(&fix) {
            continue;
        }
        let composed = fix.changes.iter().find_map(|change| composed(change, &inputs, &made));
        match composed.map_or_else(|| edits.add(fix, &inside), Err) {
            Ok(()) => {
                done.push(fix);
                edits.fixes += 1;
            }
            Err(why) => edits.left.push(format!("{}: {}: {why}", problem.place, problem.rule.id)),
        }
    }
    edits
}

/// Why a change is not one of a text that is an object as it stands.
fn composed(change: &Change, inputs: &HashSet<&str>, made: &HashSet<&str>) -> Option<String> {
    let (place, with) = match change {
        Change::Replace { place, with } => (place, Some(with.trim_matches('"'))),
        Change::AddAfter { place, .. } | Change::RemoveLine { place } => (place, None),
    };
    if inputs.contains(place.source.name.as_str()) {
        return Some(format!("{} says how objects are built", place.source.name));
    }
    let with = with.filter(|with| made.contains(with))?;
    Some(format!("the kustomization makes the name {with}"))
}

impl Edits {
    /// All changes of a fix, or none.
    fn add(&mut self, fix: &Fix, inside: &[PathBuf]) -> Result<(), String> {
        let mut new: Vec<(Arc<Source>, usize, Vec<String>)> = Vec::new();
        for change in &fix.changes {
            let place = match change {
                Change::Replace { place, .. }
                | Change::AddAfter { place, .. }
                | Change::RemoveLine { place } => place,
            };
            let source = &place.source;
            let real = Path::new(&source.name).canonicalize();
            let real =
                real.ok().filter(|real| inside.iter().any(|folder| real.starts_with(folder)));
            let Some(real) = real else {
                return Err(format!("{} is outside of what was given", source.name));
            };
            if self.mark(source, &real).is_none() {
                return Err(format!("{} is no file in UTF-8, or was changed", source.name));
            }
            let line = usize::try_from(place.line).unwrap_or(0).checked_sub(1);
            let at = line.ok_or("it has no line")?;
            let old = source.text.split('\n').nth(at).ok_or("its line is not there")?;
            let same = |(other, line, _): &&mut (Arc<Source>, usize, Vec<String>)| {
                other.name == source.name && *line == at
            };
            // A line that this fix changes already is changed further.
            let known = new.iter_mut().find(same);
            let current = known.as_ref().map_or_else(|| vec![old.to_owned()], |(.., l)| l.clone());
            let changed = changed(change, current)?;
            match known {
                Some((.., lines)) => *lines = changed,
                None => new.push((Arc::clone(source), at, changed)),
            }
        }
        let taken = new.iter().any(|(source, at, _)| {
            self.files.get(&source.name).is_some_and(|file| file.lines.contains_key(at))
        });
        if taken {
            return Err("another fix changes the same line: run it again".to_owned());
        }
        for (source, at, lines) in new {
            let file = self.files.entry(source.name.clone());
            file.or_insert_with(|| File { source, lines: BTreeMap::new() }).lines.insert(at, lines);
        }
        Ok(())
    }

    /// The byte order mark of a source's file, or nothing; none where the file does not hold what
    /// was read. Each file is asked once.
    fn mark(&mut self, source: &Source, path: &Path) -> Option<&'static str> {
        if let Some(known) = self.marks.get(&source.name) {
            return *known;
        }
        let now = std::fs::read_to_string(path).unwrap_or_default();
        let mark = if now.starts_with(MARK) { MARK } else { "" };
        let same = now.strip_prefix(mark).is_some_and(|text| text == source.text);
        let mark = same.then_some(mark);
        self.marks.insert(source.name.clone(), mark);
        mark
    }

    /// What would change, as a unified diff.
    pub fn diff(&self) -> String {
        let mark = |name| self.marks.get(name).copied().flatten().unwrap_or_default();
        self.files.iter().map(|(name, file)| file.diff(name, mark(name))).collect()
    }

    /// Changes the files: each whole, or not at all.
    ///
    /// # Errors
    /// The file that could not be written, and why; those before it are changed.
    pub fn write(&self) -> Result<usize, String> {
        for (name, file) in &self.files {
            let said = |error: std::io::Error| format!("{name} cannot be changed: {error}");
            let path = Path::new(name).canonicalize().map_err(said)?;
            let now = std::fs::read_to_string(&path).map_err(said)?;
            if now.strip_prefix(MARK).unwrap_or(&now) != file.source.text {
                return Err(format!("{name} was changed by somebody else meanwhile"));
            }
            let mark = if now.starts_with(MARK) { MARK } else { "" };
            let folder = path.parent().unwrap_or(Path::new("."));
            let mut fresh = tempfile::NamedTempFile::new_in(folder).map_err(said)?;
            let rights = std::fs::metadata(&path).map_err(said)?.permissions();
            fresh.as_file().set_permissions(rights).map_err(said)?;
            write!(fresh, "{mark}{}", file.text()).map_err(said)?;
            fresh.as_file().sync_all().map_err(said)?;
            fresh.persist(&path).map_err(|error| said(error.error))?;
        }
        Ok(self.files.len())
    }
}

/// What one line becomes.
fn changed(change: &Change, mut lines: Vec<String>) -> Result<Vec<String>, String> {
    let end = if lines.iter().any(|line| line.ends_with('\r')) { "\r" } else { "" };
    match change {
        Change::Replace { place, with } => {
            let line = lines.first_mut().ok_or("its line goes away")?;
            let start = usize::try_from(place.column.saturating_sub(1)).unwrap_or(0);
            let stop = start + usize::try_from(place.length).unwrap_or(0);
            let at = |index: usize| {
                line.char_indices().map(|(byte, _)| byte).chain([line.len()]).nth(index)
            };
            let range = at(start).zip(at(stop)).ok_or("its column is not there")?;
            line.replace_range(range.0..range.1, with);
        }
        Change::AddAfter { lines: added, .. } => {
            lines.extend(added.lines().map(|line| format!("{line}{end}")));
        }
        Change::RemoveLine { .. } => {
            lines.drain(..1.min(lines.len()));
        }
    }
    Ok(lines)
}

impl File {
    fn text(&self) -> String {
        let lines = self.source.text.split('\n').enumerate();
        let all = lines.flat_map(|(at, line)| match self.lines.get(&at) {
            Some(lines) => lines.clone(),
            None => vec![line.to_owned()],
        });
        all.collect::<Vec<_>>().join("\n")
    }

    fn diff(&self, name: &str, mark: &str) -> String {
        let old: Vec<&str> = self.source.text.split('\n').collect();
        let name = name.trim_start_matches('/');
        // A name with a space ends at a tab.
        let end = if name.contains(' ') { "\t" } else { "" };
        let mut text = format!("--- a/{name}{end}\n+++ b/{name}{end}\n");
        let mut shift = 0_isize;
        for (first, last) in self.hunks() {
            let mut body = String::new();
            let mut new = 0_usize;
            for (at, line) in old.iter().enumerate().take(last).skip(first) {
                // The last piece ends in no line break.
                let open = at + 1 == old.len();
                let mut put = |sign: char, index: usize, line: &str, open: bool| {
                    let mark = if at == 0 && index == 0 { mark } else { "" };
                    let end = if open { "\n\\ No newline at end of file" } else { "" };
                    body.push_str(&format!("{sign}{mark}{line}{end}\n"));
                };
                let Some(lines) = self.lines.get(&at) else {
                    put(' ', 0, line, open);
                    new += 1;
                    continue;
                };
                let kept = lines.first().is_some_and(|first| first == line);
                let kept = kept && (!open || lines.len() == 1);
                put(if kept { ' ' } else { '-' }, 0, line, open);
                for (index, line) in lines.iter().enumerate().skip(usize::from(kept)) {
                    put('+', index, line, open && index + 1 == lines.len());
                }
                new += lines.len();
            }
            let start = (first + 1).saturating_add_signed(shift);
            let count = last - first;
            text.push_str(&format!("@@ -{},{count} +{start},{new} @@\n{body}", first + 1));
            shift += new.cast_signed() - count.cast_signed();
        }
        text
    }

    /// Stretches of lines around the changes; those that touch are one.
    fn hunks(&self) -> Vec<(usize, usize)> {
        // The empty piece after the last line's end is no line.
        let old: Vec<&str> = self.source.text.split('\n').collect();
        let lines = old.len() - usize::from(self.source.text.ends_with('\n'));
        let mut hunks: Vec<(usize, usize)> = Vec::new();
        for (at, new) in &self.lines {
            // A line that stays is context itself: `patch` wants as much before as behind.
            let stays = new.first().map(String::as_str) == old.get(*at).copied();
            let first = (at + usize::from(stays)).saturating_sub(CONTEXT);
            let last = (at + 1 + CONTEXT).min(lines);
            match hunks.last_mut() {
                Some((_, end)) if *end >= first => *end = last,
                _ => hunks.push((first, last)),
            }
        }
        hunks
    }
}
