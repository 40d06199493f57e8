//! Rules of the house that no compiler checks.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{circles, shell::root, steps::say};

/// Lines above which a file wants to become two.
const LONG_FILE: usize = 300;
/// Kinds of files with code of ours.
const CODE: [&str; 5] = ["rs", "mjs", "js", "css", "go"];
/// Directories with nothing of ours.
const FOREIGN: [&str; 5] = ["target", "node_modules", "dist", "pkg", ".git"];

/// The shared node knows no platform, no files depend on each other in a circle; long files are pointed out.
pub(crate) fn check() -> Result<()> {
    let mut files = Vec::new();
    collect(root(), &mut files)?;
    files.sort();
    let mut platforms = Vec::new();
    for path in &files {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.strip_prefix(root()).unwrap_or(path).display();
        if path.starts_with(root().join("shared/src")) && text.contains("target_arch") {
            platforms.push(name.to_string());
        }
        let lines = text.lines().count();
        if lines > LONG_FILE {
            say(&format!("    notice: {name} has {lines} lines, more than {LONG_FILE}"));
        }
    }
    if !platforms.is_empty() {
        bail!("target_arch in {}; hand the difference in through Platform", platforms.join(", "));
    }
    say(&format!("    {} files; none of shared/src asks for its target_arch", files.len()));
    circles::check()
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let (path, kind) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if kind.is_dir() && !FOREIGN.contains(&&*name) {
            collect(&path, files)?;
        } else if kind.is_file() && path.extension().is_some_and(|end| CODE.iter().any(|code| end == *code)) {
            files.push(path);
        }
    }
    Ok(())
}
