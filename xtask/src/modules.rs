//! Which file of a crate uses which other one, read from its sources.
//!
//! The modules are followed from the crate's root by their `mod` declarations. A path counts where it begins with
//! `crate`, `self`, `super` or a child module, in a `use` or anywhere else, macros included. It leads to the file that
//! defines what it names: re-exports on the way are followed, so who uses `crate::Stream` uses `stream.rs` and not
//! `lib.rs`. Code that only tests have does not count, nor do declarations of modules and the scopes of `pub(in …)`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::paths::{self, Found};

/// The text of each file of a crate, by its path.
pub(crate) type Sources = BTreeMap<PathBuf, String>;

/// Re-exports that are followed one after another; a longer chain is a circle among them.
const MAX_REEXPORTS: usize = 32;

/// One file uses another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) from: PathBuf,
    pub(crate) line: usize,
    /// The path as it is written, without its groups.
    pub(crate) path: String,
    pub(crate) to: PathBuf,
}

/// The name of a module, from the crate's root on.
type Name = Vec<String>;

#[derive(Debug, Default)]
struct Module {
    file: PathBuf,
    items: BTreeSet<String>,
    /// What it imports by name, and the modules of which it imports everything.
    imports: BTreeMap<String, Name>,
    globs: Vec<Name>,
    found: Vec<Found>,
}

#[derive(Debug, Default)]
struct Modules(BTreeMap<Name, Module>);

/// All uses of one file by another one, in the crate that begins with `root`.
pub(crate) fn uses(sources: &Sources, root: &Path) -> Result<Vec<Use>> {
    let mut modules = Modules::default();
    let dir = root.parent().context("a crate's root lies in a folder")?;
    modules.read_file(sources, root, Vec::new(), dir)?;
    let mut uses = Vec::new();
    for (name, module) in &modules.0 {
        for found in &module.found {
            let Some(to) = modules.file_of(name, &found.path, 0).filter(|to| **to != module.file) else { continue };
            let path = found.path.join("::");
            uses.push(Use { from: module.file.clone(), line: found.line, path, to: to.clone() });
        }
    }
    Ok(uses)
}

impl Modules {
    /// Reads a module that has a file of its own. The files of its children lie in `dir`.
    fn read_file(&mut self, sources: &Sources, file: &Path, name: Name, dir: &Path) -> Result<()> {
        let text = sources.get(file).with_context(|| format!("{} is missing", file.display()))?;
        let syntax = syn::parse_file(text).with_context(|| format!("{} does not parse", file.display()))?;
        self.read_items(sources, file, name, dir, &syntax.items)
    }

    fn read_items(
        &mut self,
        sources: &Sources,
        file: &Path,
        name: Name,
        dir: &Path,
        items: &[syn::Item],
    ) -> Result<()> {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        for item in items.iter().filter(|item| !paths::is_for_tests(paths::attributes(item))) {
            module.items.extend(paths::defined_name(item));
            let syn::Item::Mod(child) = item else { continue };
            let child_name = [&name[..], &[child.ident.to_string()]].concat();
            let child_dir = dir.join(child.ident.to_string());
            if let Some((_, items)) = &child.content {
                self.read_items(sources, file, child_name, &child_dir, items)?;
                continue;
            }
            if paths::path_attribute(&child.attrs).is_some_and(|path| path.starts_with("..")) {
                // Outside the crate's folder: it may use the crate, and nothing here uses it.
                continue;
            }
            let child_file = file_of_module(sources, file, dir, child)?;
            let is_folder = child_file.ends_with("mod.rs") || child_file.parent() == Some(&child_dir);
            let child_dir = if is_folder { child_file.parent().unwrap_or(dir) } else { &child_dir };
            self.read_file(sources, &child_file, child_name, child_dir)?;
        }
        module.found = paths::found(items);
        for found in &module.found {
            match &found.imported_as {
                Some(imported) if imported == "*" => module.globs.push(found.path.clone()),
                Some(imported) => drop(module.imports.insert(imported.clone(), found.path.clone())),
                None => {}
            }
        }
        self.0.insert(name, module);
        Ok(())
    }

    /// The file that defines what a path in a module names; none where that is of another crate.
    fn file_of(&self, module: &[String], path: &[String], reexports: usize) -> Option<&PathBuf> {
        if reexports > MAX_REEXPORTS {
            return None;
        }
        let (mut at, mut rest) = self.start(module, path)?;
        while let Some((segment, after)) = rest.split_first() {
            let child = [&at[..], std::slice::from_ref(segment)].concat();
            if self.0.contains_key(&child) {
                (at, rest) = (child, after);
                continue;
            }
            let here = self.0.get(&at)?;
            if here.items.contains(segment) {
                return Some(&here.file);
            }
            if let Some(import) = here.imports.get(segment) {
                return self.file_of(&at, &[import, after].concat(), reexports + 1);
            }
            let glob = here.globs.iter().find(|glob| self.has(&at, glob, segment));
            return match glob {
                Some(glob) => self.file_of(&at, &[glob, rest].concat(), reexports + 1),
                // Something that a macro makes, or a variant of an enum.
                None => Some(&here.file),
            };
        }
        self.0.get(&at).map(|module| &module.file)
    }

    /// The module that a path begins in, and the rest of the path.
    fn start<'a>(&self, module: &[String], path: &'a [String]) -> Option<(Name, &'a [String])> {
        let (mut at, mut rest) = (module.to_vec(), path);
        match path.first()?.as_str() {
            "crate" => return Some((Vec::new(), &path[1..])),
            "self" => rest = &path[1..],
            "super" => {}
            child if self.0.contains_key(&[module, &[child.to_owned()]].concat()) => {}
            _ => return None,
        }
        while rest.first().is_some_and(|segment| segment == "super") {
            at.pop()?;
            rest = &rest[1..];
        }
        Some((at, rest))
    }

    /// Whether a module, of which everything is imported, has something of this name.
    fn has(&self, module: &[String], glob: &[String], name: &String) -> bool {
        let Some((mut at, rest)) = self.start(module, glob) else { return false };
        at.extend_from_slice(rest);
        let Some(there) = self.0.get(&at) else { return false };
        at.push(name.clone());
        there.items.contains(name) || there.imports.contains_key(name) || self.0.contains_key(&at)
    }
}

/// Where a module lies that is declared in `file`, whose children lie in `dir`.
fn file_of_module(sources: &Sources, file: &Path, dir: &Path, module: &syn::ItemMod) -> Result<PathBuf> {
    let name = module.ident.to_string();
    let candidates = match paths::path_attribute(&module.attrs) {
        Some(path) => vec![file.with_file_name(path)],
        None => vec![dir.join(format!("{name}.rs")), dir.join(&name).join("mod.rs")],
    };
    match candidates.into_iter().find(|candidate| sources.contains_key(candidate)) {
        Some(found) => Ok(found),
        None => bail!("{} declares {name}, which has no file", file.display()),
    }
}
