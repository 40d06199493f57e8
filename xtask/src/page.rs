//! The page, built for release.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::{
    shell::{program, root, run, which},
    size,
    steps::{say, step},
    tools::Tools,
};

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

/// Makes the module smaller where wasm-opt is installed; the page works the same without.
fn squeeze() -> Result<()> {
    if which("wasm-opt").is_none() {
        say("    notice: no wasm-opt; the page works the same and is a little larger");
        return Ok(());
    }
    for entry in fs::read_dir(dist()).context("trunk left no web/dist")? {
        let module = entry?.path();
        if module.extension().is_none_or(|end| end != "wasm") {
            continue;
        }
        let smaller = module.with_extension("smaller");
        let mut wasm_opt = program("wasm-opt")?;
        wasm_opt.args(["-Oz", "--strip-debug", "--strip-producers"]).args(WASM_FEATURES);
        match run(wasm_opt.arg(&module).arg("-o").arg(&smaller)) {
            Ok(()) => fs::rename(&smaller, &module).context("cannot replace the module")?,
            Err(error) => {
                // It may have been begun; a page must not ship it.
                let _ = fs::remove_file(&smaller);
                say(&format!("    notice: the module stays as it is: {error}"));
            }
        }
    }
    Ok(())
}
