//! Versions below which a stranger can crash or exhaust a node. The RustSec database misses several.

use anyhow::{Context, Result, bail};

use crate::{shell::root, steps::say};

/// Lowest safe version of each package, whatever else the tree pulls in.
const FLOOR: [(&str, Version); 6] = [
    ("libp2p-gossipsub", Version::of(0, 50, 1)),
    ("libp2p-quic", Version::of(0, 13, 1)),
    ("libp2p-relay", Version::of(0, 22, 0)),
    ("quinn-proto", Version::of(0, 11, 15)),
    ("rustls-webpki", Version::of(0, 103, 13)),
    ("yamux", Version::of(0, 13, 10)),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    numbers: [u64; 3],
    /// A pre-release comes before its release.
    released: bool,
}

impl Version {
    const fn of(major: u64, minor: u64, patch: u64) -> Self {
        Self { numbers: [major, minor, patch], released: true }
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.split('+').next()?;
        let (numbers, pre) = text.split_once('-').map_or((text, None), |(numbers, pre)| (numbers, Some(pre)));
        let mut parts = numbers.split('.').map(|part| part.parse().ok());
        let numbers = [parts.next()??, parts.next()??, parts.next()??];
        parts.next().is_none().then_some(Self { numbers, released: pre.is_none() })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")
    }
}

/// Checks this repository's lock file.
pub(crate) fn check() -> Result<()> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    for line in checked(&lock)? {
        say(&format!("    {line}"));
    }
    Ok(())
}

/// What was compared, or every package below the floor in one line.
fn checked(lock: &str) -> Result<Vec<String>> {
    let lock: toml::Table = lock.parse().context("Cargo.lock is no TOML")?;
    let packages = lock.get("package").and_then(toml::Value::as_array).context("Cargo.lock names no packages")?;
    let (mut fine, mut low) = (Vec::new(), Vec::new());
    for package in packages {
        let text = |field| package.get(field).and_then(toml::Value::as_str).unwrap_or_default();
        let Some((name, floor)) = FLOOR.iter().find(|(name, _)| *name == text("name")) else { continue };
        let version = Version::parse(text("version"))
            .with_context(|| format!("{name} has a version nobody can read: {}", text("version")))?;
        let line = format!("{name} {} (floor {floor})", text("version"));
        if version < *floor { low.push(line) } else { fine.push(line) }
    }
    if !low.is_empty() {
        bail!("below the security floor: {}; raise them with cargo update", low.join(", "));
    }
    Ok(fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(packages: &[(&str, &str)]) -> String {
        let package =
            |(name, version): &(&str, &str)| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n");
        packages.iter().map(package).collect()
    }

    #[test]
    fn a_planted_old_version_is_refused_by_name() {
        for (name, old) in [
            ("libp2p-gossipsub", "0.50.0"),
            ("libp2p-quic", "0.13.0"),
            ("libp2p-relay", "0.21.9"),
            ("quinn-proto", "0.11.14"),
            ("rustls-webpki", "0.103.12"),
            ("yamux", "0.13.9"),
            ("yamux", "0.13.10-rc.1"),
        ] {
            let error = checked(&lock(&[("serde", "1.0.0"), (name, old)])).unwrap_err().to_string();
            assert!(error.contains(&format!("{name} {old}")), "{error}");
        }
    }

    #[test]
    fn one_old_copy_beside_a_new_one_is_refused() {
        let error = checked(&lock(&[("yamux", "0.14.1"), ("yamux", "0.12.1")])).unwrap_err().to_string();
        assert!(error.contains("yamux 0.12.1") && !error.contains("0.14.1"), "{error}");
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert!(checked(&lock(&[("rustls-webpki", "0.103.100"), ("libp2p-relay", "1.0.0")])).is_ok());
        assert!(checked(&lock(&[("yamux", "newest")])).is_err());
    }

    #[test]
    fn the_real_lock_file_is_above_the_floor_and_names_every_package() {
        let real = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
        let lines = checked(&real).unwrap();
        for (name, _) in FLOOR {
            assert!(
                lines.iter().any(|line| line.starts_with(name)),
                "{name} is gone from the tree; so may be its floor"
            );
        }
    }
}
