//! The tables of limits in docs/operating.md are those of the code.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use tincan_shared::{Config, Counters};

/// Constants that are bounds by their name: each must be in the table.
const BOUNDS: [(&str, &str); 5] = [("MAX_", ""), ("KEPT_", ""), ("REMEMBERED_", ""), ("", "_QUEUE"), ("", "_TIMEOUT")];
const SOURCES: [&str; 4] = ["shared/src", "node-native/src", "node-wasm/src", "webrtc/src"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_owned()
}

/// Rows of the document's tables under "Limits", by the number of their columns.
fn rows(columns: usize) -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join("docs/operating.md")).expect("the document");
    let limits = text.split_once("\n## Limits\n").expect("a section on limits").1;
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    };
    let lines = limits.lines().filter(|line| line.starts_with("| `"));
    lines.map(cells).filter(|cells| cells.len() == columns).collect()
}

/// `1.5 s` in milliseconds, `64 KiB` in bytes, a bare number as it is.
fn value(text: &str) -> u128 {
    let mut words = text.split_whitespace();
    let number: f64 = words.next().expect("a number").replace(',', "").parse().unwrap_or_else(|_| panic!("{text}"));
    let unit = match words.next() {
        Some("KiB") => 1024.0,
        Some("MiB") => 1024.0 * 1024.0,
        Some("ms") => 1.0,
        Some("s") => 1000.0,
        Some("min") => 60_000.0,
        Some("h") => 3_600_000.0,
        _ => 1.0,
    };
    (number * unit).round() as u128
}

/// An expression of a constant, durations in milliseconds.
fn evaluated(expression: &str, others: &BTreeMap<String, String>) -> Option<u128> {
    for (call, unit) in [("Duration::from_secs(", 1000), ("Duration::from_millis(", 1)] {
        if let Some(inner) = expression.strip_prefix(call) {
            return Some(evaluated(inner.strip_suffix(')')?, others)? * unit);
        }
    }
    expression.split('*').map(str::trim).try_fold(1, |product: u128, factor| {
        let number = factor.replace('_', "").parse().ok();
        Some(product * number.or_else(|| evaluated(others.get(factor)?, others))?)
    })
}

/// Every constant that is a number or a time, by file and name; tests left out.
fn constants() -> BTreeMap<(String, String), u128> {
    let mut found = BTreeMap::new();
    let mut folders: Vec<PathBuf> = SOURCES.iter().map(|source| root().join(source)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let file = path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("a source");
            if file.ends_with("tests.rs") {
                continue;
            }
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let named: BTreeMap<String, String> = code.lines().filter_map(constant).collect();
            for (name, expression) in &named {
                if let Some(value) = evaluated(expression, &named) {
                    found.insert((file.clone(), name.clone()), value);
                }
            }
        }
    }
    found
}

fn constant(line: &str) -> Option<(String, String)> {
    let rest = line.split_once("const ").filter(|(before, _)| before.is_empty() || before.starts_with("pub"))?.1;
    let (name, rest) = rest.split_once(": ")?;
    let (kind, expression) = rest.strip_suffix(';')?.split_once(" = ")?;
    let kinds = ["usize", "u8", "u16", "u32", "u64", "Duration"];
    kinds.contains(&kind).then(|| (name.to_owned(), expression.to_owned()))
}

#[test]
fn fixed_bounds_are_those_of_the_code() {
    let code = constants();
    let mut told = BTreeSet::new();
    for row in rows(6) {
        let key = (row[1].clone(), row[0].clone());
        let real =
            code.get(&key).unwrap_or_else(|| panic!("docs/operating.md names {key:?}, which is not in the code"));
        assert_eq!(value(&row[2]), *real, "{key:?}: the document says {}", row[2]);
        assert!(told.insert(key.clone()), "{key:?} is there twice");
    }
    let is_bound = |name: &str| BOUNDS.iter().any(|(start, end)| name.starts_with(start) && name.ends_with(end));
    let missing: Vec<_> = code.keys().filter(|key| is_bound(&key.1) && !told.contains(*key)).collect();
    assert!(missing.is_empty(), "docs/operating.md does not name {missing:#?}");
}

#[test]
fn settable_bounds_are_those_of_a_hub() {
    // The derived form names every field.
    let limits = format!("{:?}", Config::hub().limits);
    let fields = limits.trim_start_matches("Limits { ").trim_end_matches(" }").split(", ");
    let code: BTreeMap<String, u128> = fields
        .map(|field| {
            let (name, text) = field.split_once(": ").expect("a field");
            match text.strip_suffix('s') {
                Some(seconds) => (format!("{name}_secs"), seconds.parse::<u128>().expect("whole seconds") * 1000),
                None => (name.to_owned(), text.parse().expect("a number")),
            }
        })
        .collect();
    let told: BTreeMap<String, u128> =
        rows(5).iter().map(|row| (row[0].replace(['`', '↻'], "").trim().to_owned(), value(&row[1]))).collect();
    assert_eq!(told, code);
}

#[test]
fn counters_in_the_tables_exist() {
    let all = Counters::NAMES.iter().chain(&tincan_node::http::COUNTERS);
    let known: BTreeSet<&str> = all.map(|(name, _)| *name).collect();
    let cells = rows(5).into_iter().chain(rows(6)).filter_map(|row| row.last().cloned());
    let named: BTreeSet<String> = cells
        .filter(|cell| !cell.is_empty() && !cell.starts_with("log") && !cell.starts_with("the caller"))
        .flat_map(|cell| cell.split(", ").map(|name| name.trim_matches('`').to_owned()).collect::<Vec<_>>())
        .collect();
    let unknown: Vec<_> = named.iter().filter(|name| !known.contains(name.as_str())).collect();
    assert!(unknown.is_empty(), "no such counters: {unknown:?}");
    assert!(named.len() >= 10, "the tables name counters: {named:?}");
}
