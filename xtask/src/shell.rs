//! Running programs: one environment for all, one line when something is missing or fails.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::tally::{LEFT_OUT, left_out_file};

/// Minutes: no step may take longer; a hanging test must not hang the whole.
const PROGRAM_LIMIT: u64 = 30;
/// How often a running program is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The checkout, asked of the cargo that started us: a target directory shared by two checkouts may
/// hold the xtask of the other one.
pub(crate) fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        Path::new(&package).parent().expect("xtask lies inside the checkout").to_owned()
    });
    &ROOT
}

/// Where tools and builds are kept, outside the checkout.
pub(crate) fn cache() -> Result<PathBuf> {
    let base = match env::var_os("XDG_CACHE_HOME").filter(|dir| !dir.is_empty()) {
        Some(dir) => PathBuf::from(dir),
        None => env::home_dir().context("no home directory; set XDG_CACHE_HOME")?.join(".cache"),
    };
    Ok(base.join("tincan"))
}

/// Where cargo builds: the user's CARGO_TARGET_DIR, else the cache.
pub(crate) fn target_dir() -> Result<PathBuf> {
    match env::var_os("CARGO_TARGET_DIR").filter(|dir| !dir.is_empty()) {
        Some(dir) => Ok(root().join(dir)),
        None => Ok(cache()?.join("target")),
    }
}

/// Whether tests run at their full counts.
static NIGHTLY: AtomicBool = AtomicBool::new(false);

/// From now on, programs are told to run at their full counts.
pub(crate) fn thoroughly() {
    NIGHTLY.store(true, Ordering::Relaxed);
}

/// A program in the checkout, with our environment instead of the one cargo gave xtask.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Result<Command> {
    let mut command = Command::new(name);
    command.current_dir(root()).env("CARGO_TARGET_DIR", target_dir()?);
    // `cargo run` set these for xtask; some build scripts (ring's) start anew when they change.
    for (key, _) in env::vars_os() {
        let key = key.to_string_lossy();
        if key.starts_with("CARGO_PKG_") || key.starts_with("CARGO_MANIFEST_") || key == "CARGO_PRIMARY_PACKAGE" {
            command.env_remove(&*key);
        }
    }
    command.env(LEFT_OUT, left_out_file()?);
    if NIGHTLY.load(Ordering::Relaxed) {
        command.env("TINCAN_NIGHTLY", "1");
    }
    // These replace the flags of .cargo/config.toml, without which nothing random compiles for wasm.
    command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    Ok(command)
}

/// Cargo, with its arguments written as on a command line.
pub(crate) fn cargo(arguments: &str) -> Result<Command> {
    let mut command = program(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))?;
    command.args(arguments.split_whitespace());
    Ok(command)
}

/// Runs to the end without input; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    run_within(command, PROGRAM_LIMIT)
}

/// As [`run`], for what may take so many minutes.
pub(crate) fn run_within(command: &mut Command, minutes: u64) -> Result<()> {
    let line = shown(command);
    let mut child = command
        .stdin(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
    let start = Instant::now();
    loop {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => bail!("`{line}` ended with {status}"),
            None if start.elapsed() > Duration::from_secs(minutes * 60) => {
                let _ = child.kill();
                let _ = child.wait();
                bail!("`{line}` was ended after {} minutes", minutes);
            }
            None => thread::sleep(LOOK_EVERY),
        }
    }
}

/// What a program prints, while its errors are shown; anything but success is an error.
pub(crate) fn printed(command: &mut Command) -> Result<String> {
    let line = shown(command);
    let started = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let done = started.with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
    if !done.status.success() {
        bail!("`{line}` ended with {}", done.status);
    }
    String::from_utf8(done.stdout).with_context(|| format!("`{line}` printed what is no text"))
}

/// What a program prints, when it exists and succeeds.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let done = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    done.status.success().then(|| String::from_utf8_lossy(&done.stdout).trim().to_owned())
}

/// Where a program lies on PATH.
pub(crate) fn which(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(&file)).find(|path| path.is_file())
}

/// PATH with these directories before it.
pub(crate) fn path_with<'a>(first: impl IntoIterator<Item = &'a Path>) -> Result<std::ffi::OsString> {
    let rest = env::var_os("PATH").unwrap_or_default();
    let all = first.into_iter().map(Path::to_path_buf).chain(env::split_paths(&rest));
    env::join_paths(all).context("a directory on PATH has a colon in its name")
}

fn shown(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let rest = command.get_args().map(|word| word.to_string_lossy().into_owned());
    std::iter::once(name).chain(rest).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_is_one_line_with_its_name() {
        let error = run(cargo("no-such-word").unwrap().stderr(Stdio::null())).unwrap_err().to_string();
        assert!(error.starts_with("`cargo no-such-word` ended with"), "{error}");
        let error = run(&mut program("no-such-program-here").unwrap()).unwrap_err().to_string();
        assert_eq!(error, "cannot start no-such-program-here");
    }
}
