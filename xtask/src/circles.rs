//! Finds files of one crate that depend on each other in a circle: none of them can be understood, tried or moved alone.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{
    modules::{Sources, Use, uses},
    shell::root,
    steps::say,
};

/// Roots of crates whose files must not depend on each other in a circle.
const FREE_OF_CIRCLES: [&str; 2] = ["shared/src/lib.rs", "webrtc/src/lib.rs"];

/// Fails with the shortest circle of the first crate that has one.
pub(crate) fn check() -> Result<()> {
    for name in FREE_OF_CIRCLES {
        let sources = sources_beside(&root().join(name))?;
        let root_file = Path::new(name);
        if let Some(circle) = shortest(&uses(&sources, root_file)?) {
            bail!("files that depend on each other in a circle, the shortest of {name}:{}", shown(&circle));
        }
        say(&format!("    {name}: {} files, no circle", sources.len()));
    }
    Ok(())
}

/// The sources in the folder of a crate's root, by their paths from the checkout on.
fn sources_beside(crate_root: &Path) -> Result<Sources> {
    let mut sources = Sources::new();
    let mut folders: Vec<PathBuf> = crate_root.parent().map(Path::to_owned).into_iter().collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
                sources.insert(path.strip_prefix(root()).unwrap_or(&path).to_owned(), text);
            }
        }
    }
    Ok(sources)
}

/// One of the shortest circles, each use leading to the next one's file and the last to the first one's.
fn shortest(uses: &[Use]) -> Option<Vec<&Use>> {
    let mut from: BTreeMap<&Path, Vec<&Use>> = BTreeMap::new();
    for each in uses {
        from.entry(&each.from).or_default().push(each);
    }
    let circles = from.keys().filter_map(|file| shortest_from(&from, file));
    circles.min_by_key(Vec::len)
}

/// The shortest way from a file back to it.
fn shortest_from<'a>(from: &BTreeMap<&'a Path, Vec<&'a Use>>, file: &'a Path) -> Option<Vec<&'a Use>> {
    // The use by which each file was reached first.
    let mut reached_by: BTreeMap<&Path, &Use> = BTreeMap::new();
    let mut next = VecDeque::from([file]);
    while let Some(at) = next.pop_front() {
        for each in from.get(at).into_iter().flatten() {
            if reached_by.contains_key(each.to.as_path()) {
                continue;
            }
            reached_by.insert(&each.to, each);
            next.push_back(&each.to);
        }
    }
    let mut circle = VecDeque::new();
    let mut at = file;
    loop {
        let last = *reached_by.get(at)?;
        circle.push_front(last);
        at = &last.from;
        if at == file {
            return Some(circle.into());
        }
    }
}

/// One line for each use.
fn shown(circle: &[&Use]) -> String {
    let mut text = String::new();
    for Use { from, line, path, to } in circle {
        // Writing to a string does not fail.
        let _ = write!(text, "\n      {}:{line} uses {path} -> {}", from.display(), to.display());
    }
    text
}

#[cfg(test)]
#[path = "circles_tests.rs"]
mod tests;
