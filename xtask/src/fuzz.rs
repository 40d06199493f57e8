//! `cargo xtask fuzz`: libFuzzer on each target, guided by coverage, on the stable compiler.

use std::{fs, process::Stdio};

use anyhow::{Context, Result, bail};

use crate::{
    shell::{cache, cargo, output, program, root, run, target_dir},
    steps::{say, step},
};

/// Names the targets, and writes where they start from.
const EXAMPLES: &str = "run --quiet -p tincan-fuzz --bin fuzz-examples --";
/// For each target.
const DEFAULT_SECONDS: u64 = 60;
/// What cargo-fuzz would pass: counters and comparisons that libFuzzer reads.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Cdebug-assertions";
const REPORT: &str = "docs/fuzz.md";

/// What one run found out.
struct Found {
    target: String,
    executions: u64,
    edges: u64,
}

/// Words: a target's name and seconds for each, both optional, in any order.
pub(crate) fn fuzz(words: &[String]) -> Result<()> {
    let known = output(&mut cargo(EXAMPLES)?).context("the fuzz targets do not build")?;
    let known: Vec<String> = known.lines().map(str::to_owned).collect();
    let (mut targets, mut seconds) = (Vec::new(), DEFAULT_SECONDS);
    for word in words {
        if known.contains(word) {
            targets.push(word.clone());
        } else {
            seconds =
                word.parse().with_context(|| format!("{word} is no target ({}) and no number", known.join(", ")))?;
        }
    }
    let all = targets.is_empty();
    if all {
        targets = known;
    }
    let host = output(program("rustc")?.arg("-vV")).context("rustc does not run")?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?.to_owned();
    let build = target_dir()?.join("fuzz");
    let mut instrumented = cargo(&format!(
        "build --quiet --release -p tincan-fuzz --bin tincan-fuzz --features libfuzzer --target {host}"
    ))?;
    step("building the targets with coverage", || {
        run(instrumented.env("CARGO_TARGET_DIR", &build).env("RUSTFLAGS", COVERAGE))
    })?;
    let binaries = build.join(&host).join("release");
    let mut found = Vec::new();
    for target in targets {
        let corpus = cache()?.join("fuzz").join(&target);
        // Not instrumented: nothing there would answer.
        run(cargo(EXAMPLES)?.arg(&target).arg(&corpus))?;
        found.push(step(&format!("fuzzing {target} for {seconds} s"), || {
            let mut fuzzer = program(binaries.join("tincan-fuzz"))?;
            let artifact = format!("-artifact_prefix={}/", build.display());
            fuzzer.env("TINCAN_FUZZ", &target).arg(&corpus).args([&artifact, "-print_final_stats=1", "-max_len=16384"]);
            let done = fuzzer.arg(format!("-max_total_time={seconds}")).stdin(Stdio::null()).output()?;
            let told = String::from_utf8_lossy(&done.stderr).into_owned();
            if !done.status.success() {
                bail!("it broke a promise:\n{told}");
            }
            Ok(Found {
                target: target.clone(),
                executions: stat(&told, "stat::number_of_executed_units:"),
                edges: coverage(&told),
            })
        })?);
        say(&format!("    {} executions, {} edges", found[found.len() - 1].executions, found[found.len() - 1].edges));
    }
    if all { fs::write(root().join(REPORT), report(&found, seconds)).context(REPORT) } else { Ok(()) }
}

fn stat(told: &str, name: &str) -> u64 {
    told.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap_or_default()
}

/// The last `cov:` libFuzzer printed.
fn coverage(told: &str) -> u64 {
    let number = |line: &str| line.split_once("cov: ")?.1.split_whitespace().next()?.parse().ok();
    told.lines().rev().find_map(number).unwrap_or_default()
}

fn report(found: &[Found], seconds: u64) -> String {
    let rows: String = found.iter().map(|f| format!("| `{}` | {} | {} |\n", f.target, f.executions, f.edges)).collect();
    format!(
        "# Fuzzing\n\nWritten by `cargo xtask fuzz {seconds}`: libFuzzer, guided by coverage, {seconds} s for each target of\n\
         `shared/fuzz`, starting from its examples and what earlier runs found. A broken promise ends the command with\n\
         an error and writes nothing here.\n\n\
         | target | executions | edges reached |\n|---|---|---|\n{rows}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libfuzzer_prints_is_read() {
        let told = "#2\tINITED cov: 10 ft: 3\n#99\tDONE   cov: 12 ft: 4\nstat::number_of_executed_units: 99\n";
        assert_eq!((stat(told, "stat::number_of_executed_units:"), coverage(told)), (99, 12));
    }
}
