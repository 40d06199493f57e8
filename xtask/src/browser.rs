//! Browser, its driver and Node: found, or installed through apt where that may be done, or asked for.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    shell::{output, program, root, run, which},
    steps::{say, step},
};

/// Node's oldest major version that the end-to-end tests run on.
const NODE_MAJOR: u32 = 18;
/// Names of a Chromium on PATH, the first that is there wins. CHROMIUM names another.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/// What the tests in a browser run with.
#[derive(Debug)]
pub(crate) struct Browser {
    chromium: PathBuf,
    driver: PathBuf,
}

/// Everything that may be missing, with the Debian packages that bring it.
fn missing() -> Vec<&'static str> {
    let mut packages = Vec::new();
    let mut need = |there: bool, package: &'static [&'static str]| {
        if !there {
            packages.extend_from_slice(package);
        }
    };
    need(chromium().is_some(), &["chromium"]);
    need(driver().is_some(), &["chromium-driver"]);
    need(node_major().is_some_and(|major| major >= NODE_MAJOR), &["nodejs"]);
    need(which("npm").is_some(), &["npm"]);
    // Network namespaces, for the test of discovery between two hosts.
    need(!cfg!(target_os = "linux") || ip().is_some(), &["iproute2"]);
    packages
}

impl Browser {
    /// Finds everything, or installs what is missing, or says what to install.
    pub(crate) fn ready() -> Result<Self> {
        let packages = missing();
        if !packages.is_empty() {
            if !may_install() {
                bail!("missing: {}; {}", packages.join(", "), how_to_install(&packages));
            }
            step(&format!("installing {} through apt", packages.join(", ")), || install(&packages))?;
            let still = missing();
            if !still.is_empty() {
                bail!("apt did not bring {} (Node from {NODE_MAJOR} on is needed); install by hand", still.join(", "));
            }
        }
        let found = Self { chromium: chromium().context("no Chromium")?, driver: driver().context("no ChromeDriver")? };
        say(&format!("    browser {}, driver {}", found.chromium.display(), found.driver.display()));
        Ok(found)
    }

    /// Tells a program where they are, and that no window is wanted.
    pub(crate) fn on<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("CHROMIUM", &self.chromium).env("CHROMEDRIVER", &self.driver).env_remove("NO_HEADLESS")
    }
}

/// Puts the driver of the end-to-end tests beside them, once per version.
pub(crate) fn node_packages() -> Result<()> {
    let dir = root().join("web/e2e");
    let wanted = std::fs::read_to_string(dir.join("package-lock.json")).context("cannot read package-lock.json")?;
    let mark = dir.join("node_modules/.installed-from");
    if std::fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    step("installing the packages of the end-to-end tests", || {
        run(program("npm")?.current_dir(&dir).args(["ci", "--loglevel=error"]))?;
        std::fs::write(&mark, wanted).context("cannot write into node_modules")
    })
}

fn chromium() -> Option<PathBuf> {
    named("CHROMIUM").or_else(|| BROWSERS.iter().find_map(|name| which(name)))
}

fn driver() -> Option<PathBuf> {
    let beside = || named("CHROMEWEBDRIVER").map(|dir| dir.join("chromedriver")).filter(|path| path.is_file());
    named("CHROMEDRIVER").or_else(|| which("chromedriver")).or_else(beside)
}

fn named(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from).filter(|path| path.exists())
}

fn node_major() -> Option<u32> {
    let said = output(Command::new("node").arg("--version"))?;
    said.trim_start_matches('v').split('.').next()?.parse().ok()
}

fn ip() -> Option<PathBuf> {
    which("ip").or_else(|| ["/usr/sbin/ip", "/sbin/ip"].map(PathBuf::from).into_iter().find(|path| path.is_file()))
}

fn may_install() -> bool {
    which("apt-get").is_some() && output(Command::new("id").arg("-u")).as_deref() == Some("0")
}

fn how_to_install(packages: &[&str]) -> String {
    if which("apt-get").is_some() {
        return format!("run: sudo apt-get install {}", packages.join(" "));
    }
    format!("install Chromium with its ChromeDriver, and Node from {NODE_MAJOR} on with npm")
}

fn install(packages: &[&str]) -> Result<()> {
    let apt = |words: &[&str]| -> Result<()> {
        run(program(Path::new("apt-get"))?.env("DEBIAN_FRONTEND", "noninteractive").arg("-q").args(words))
    };
    if let Err(error) = apt(&["update"]) {
        say(&format!("    notice: {error}; trying with the lists that are there"));
    }
    apt(&[&["install", "-y", "--no-install-recommends"], packages].concat())
}
