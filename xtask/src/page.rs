//! The page, built for release.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{
    shell::{output, program, root, run, which},
    size,
    steps::{say, step},
    tools::Tools,
    wasm::without_names,
};

/// The oldest wasm-opt whose modules were seen to run; 108 freezes the size of a table that has to grow.
const WASM_OPT_FROM: u32 = 116;

/// What the compiler uses by itself, and no more: with all features browsers refuse the module.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Where trunk puts the page.
pub(crate) fn dist() -> PathBuf {
    root().join("web/dist")
}

/// Builds it with the pinned tools.
pub(crate) fn build() -> Result<()> {
    let tools = Tools::ready()?;
    step("building the page", || {
        let mut trunk = program("trunk")?;
        trunk.current_dir(root().join("web")).args(["build", "--release", "--offline"]);
        // trunk takes NO_COLOR for a value of its own and refuses the usual "1".
        trunk.env_remove("NO_COLOR");
        run(tools.on(&mut trunk)?)?;
        squeeze()?;
        size::compress()
    })
}

/// Makes the module smaller: without names always, and with wasm-opt where one is installed.
fn squeeze() -> Result<()> {
    let optimise = wasm_opt();
    for entry in fs::read_dir(dist()).context("trunk left no web/dist")? {
        let module = entry?.path();
        if module.extension().is_none_or(|end| end != "wasm") {
            continue;
        }
        let bytes = fs::read(&module).context("cannot read the module")?;
        fs::write(&module, without_names(&bytes)?).context("cannot write the module")?;
        if optimise {
            let mut wasm_opt = program("wasm-opt")?;
            run(wasm_opt.arg("-Oz").args(WASM_FEATURES).arg(&module).arg("-o").arg(&module))?;
        }
    }
    Ok(())
}

/// Whether a wasm-opt is there that leaves the module whole; a line when not.
fn wasm_opt() -> bool {
    let said = which("wasm-opt").and_then(|path| output(Command::new(path).arg("--version")));
    let notice = match said.as_deref().map(version) {
        Some(Some(found)) if found >= WASM_OPT_FROM => return true,
        Some(_) => format!("wasm-opt is older than {WASM_OPT_FROM} and not used"),
        None => "no wasm-opt".to_owned(),
    };
    say(&format!("    notice: {notice}; the page works the same and is a little larger"));
    false
}

/// The number in `wasm-opt version 116 (version_116)`.
fn version(said: &str) -> Option<u32> {
    said.split_whitespace().find_map(|word| word.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wasm_opt_tells_its_version() {
        assert_eq!(version("wasm-opt version 108"), Some(108));
        assert_eq!(version("wasm-opt version 132 (version_132)"), Some(132));
        assert_eq!(version("unknown"), None);
    }
}
