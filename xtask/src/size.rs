//! What the page weighs on its way to a visitor.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{page::dist, steps::say};

/// Brotli's highest quality and the window that goes with it.
const BROTLI_QUALITY: u32 = 11;
const BROTLI_WINDOW: u32 = 22;
const BROTLI_BUFFER: usize = 64 * 1024;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Weight {
    raw: usize,
    gzip: usize,
    brotli: usize,
}

/// A table of every shipped file and the total.
pub(crate) fn print() -> Result<()> {
    let dist = dist();
    if !dist.join("index.html").is_file() {
        bail!("the page is not built; run `cargo xtask page`");
    }
    let mut files = Vec::new();
    collect(&dist, &mut files)?;
    files.sort();
    say(&row("file", ["raw", "gzip -9", "brotli 11"].map(str::to_owned)));
    let mut total = Weight::default();
    for path in files {
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let weight = weigh(&bytes)?;
        total = Weight {
            raw: total.raw + weight.raw,
            gzip: total.gzip + weight.gzip,
            brotli: total.brotli + weight.brotli,
        };
        say(&line(&path.strip_prefix(&dist).unwrap_or(&path).display().to_string(), weight));
    }
    say(&line("total", total));
    Ok(())
}

fn weigh(bytes: &[u8]) -> Result<Weight> {
    Ok(Weight { raw: bytes.len(), gzip: gzip(bytes)?.len(), brotli: brotli(bytes)?.len() })
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn brotli(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), BROTLI_BUFFER, BROTLI_QUALITY, BROTLI_WINDOW);
    encoder.write_all(bytes)?;
    Ok(encoder.into_inner())
}

/// Puts compressed copies beside the page's files, for the hub to send.
pub(crate) fn compress() -> Result<()> {
    let mut files = Vec::new();
    collect(&dist(), &mut files)?;
    for path in files {
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        for (ending, copy) in [("br", brotli(&bytes)?), ("gz", gzip(&bytes)?)] {
            let mut name = path.clone().into_os_string();
            name.push(format!(".{ending}"));
            fs::write(&name, copy).with_context(|| format!("cannot write {}", PathBuf::from(&name).display()))?;
        }
    }
    Ok(())
}

fn line(name: &str, weight: Weight) -> String {
    row(name, [weight.raw, weight.gzip, weight.brotli].map(grouped))
}

fn row(name: &str, [raw, gzip, brotli]: [String; 3]) -> String {
    format!("{name:<48}{raw:>12}{gzip:>12}{brotli:>12}")
}

/// Digits in groups of three.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let path = entry?.path();
        let copy = path.extension().is_some_and(|ending| ending == "br" || ending == "gz");
        if path.is_dir() {
            collect(&path, files)?;
        } else if !copy {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressed_is_smaller_and_numbers_are_grouped() {
        let weight = weigh(&b"tincan ".repeat(1000)).unwrap();
        assert_eq!(weight.raw, 7000);
        assert!(weight.brotli < weight.gzip && weight.gzip < 200, "{weight:?}");
        assert_eq!([7, 999, 1000, 1_234_567].map(grouped), ["7", "999", "1,000", "1,234,567"]);
    }
}
