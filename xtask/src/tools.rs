//! The pinned build tools: what is on PATH at the right version is used, else what an earlier run
//! installed, else it is installed into the cache.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};

use crate::{
    shell::{cache, cargo, output, path_with, program, run, which},
    steps::step,
};

const WASM: &str = "wasm32-unknown-unknown";

/// A tool at the only version that will do.
#[derive(Debug)]
struct Tool {
    /// The crate it is installed from.
    package: &'static str,
    version: &'static str,
    /// Its directory in the cache, before the version.
    directory: &'static str,
    /// Programs it has to bring; the first tells its version.
    programs: &'static [&'static str],
}

const TRUNK: Tool = Tool { package: "trunk", version: "0.21.14", directory: "trunk", programs: &["trunk"] };
const WASM_BINDGEN: Tool = Tool {
    package: "wasm-bindgen-cli",
    version: "0.2.108",
    directory: "wasm-bindgen",
    programs: &["wasm-bindgen", "wasm-bindgen-test-runner"],
};

/// Directories of the installed tools, first on the PATH of what needs them.
#[derive(Debug)]
pub(crate) struct Tools(Vec<PathBuf>);

impl Tools {
    /// Finds or installs everything a page needs.
    pub(crate) fn ready() -> Result<Self> {
        compiler()?;
        wasm_target()?;
        Ok(Self([&TRUNK, &WASM_BINDGEN].into_iter().map(Tool::ready).collect::<Result<_>>()?))
    }

    /// Puts the tools on a program's PATH.
    pub(crate) fn on<'a>(&self, command: &'a mut Command) -> Result<&'a mut Command> {
        Ok(command.env("PATH", path_with(self.0.iter().map(PathBuf::as_path))?))
    }
}

impl Tool {
    fn ready(&self) -> Result<PathBuf> {
        if let Some(dir) = which(self.programs[0]).as_deref().and_then(Path::parent)
            && self.is_in(dir)
        {
            return Ok(dir.to_owned());
        }
        let home = cache()?.join("tools").join(format!("{}-{}", self.directory, self.version));
        let bin = home.join("bin");
        if self.is_in(&bin) {
            return Ok(bin);
        }
        let Self { package, version, .. } = self;
        step(&format!("installing {package} {version} (once; it stays in the cache)"), || {
            run(cargo(&format!("install --quiet --locked --force {package}@{version} --root"))?.arg(&home))
        })?;
        if !self.is_in(&bin) {
            bail!("{package} {version} was installed and does not run; delete {} and try again", home.display());
        }
        Ok(bin)
    }

    fn is_in(&self, dir: &Path) -> bool {
        let there = |name: &&str| dir.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)).is_file();
        self.programs.iter().all(there)
            && output(Command::new(dir.join(self.programs[0])).arg("--version"))
                .is_some_and(|said| said.split_whitespace().any(|word| word == self.version))
    }
}

/// A linker and compiler for C, which parts of the tree are written in.
pub(crate) fn compiler() -> Result<()> {
    if std::env::var_os("CC").is_some() || ["cc", "gcc", "clang", "cl"].iter().any(|name| which(name).is_some()) {
        return Ok(());
    }
    bail!("no C compiler; install one (Debian, Ubuntu: apt install build-essential; macOS: xcode-select --install)")
}

/// The compiler's part for pages, added through rustup when it is not there.
fn wasm_target() -> Result<()> {
    let installed = output(program("rustc")?.args(["--print", "target-libdir", "--target", WASM]));
    if installed.is_some_and(|dir| Path::new(&dir).is_dir()) {
        return Ok(());
    }
    if which("rustup").is_none() {
        bail!("rustup is not installed and {WASM} has to be added to the compiler; get it from https://rustup.rs");
    }
    step(&format!("adding {WASM} to the compiler"), || run(program("rustup")?.args(["target", "add", WASM])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pin_is_the_version_in_the_lock_file() {
        let lock = std::fs::read_to_string(crate::shell::root().join("Cargo.lock")).unwrap();
        let line = format!("name = \"wasm-bindgen\"\nversion = \"{}\"", WASM_BINDGEN.version);
        assert!(lock.contains(&line), "wasm-bindgen and its command line must have the same version");
    }

    #[test]
    fn an_empty_directory_has_no_tool() {
        assert!(!TRUNK.is_in(Path::new("no/such/directory")));
    }
}
