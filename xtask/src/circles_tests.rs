use super::*;

const ROOT: &str = "a/lib.rs";

/// A crate of these files, in the folder `a`.
fn sources(files: &[(&str, &str)]) -> Sources {
    files.iter().map(|(name, text)| (Path::new("a").join(name), (*text).to_owned())).collect()
}

/// The shortest circle as files with lines, nothing if there is none.
fn circle(files: &[(&str, &str)]) -> Vec<String> {
    let uses = uses(&sources(files), Path::new(ROOT)).unwrap();
    let circle = shortest(&uses).unwrap_or_default();
    circle.iter().map(|each| format!("{}:{}", each.from.display(), each.line)).collect()
}

#[test]
fn the_shortest_circle_is_found_with_its_lines() {
    let files = [
        ("lib.rs", "mod b;\nmod c;\nmod d;\nmod e;\n"),
        ("b.rs", "use crate::c::C;\npub(crate) struct B;\n"),
        ("c.rs", "//! C\n\nuse super::{b, d::D};\npub(crate) struct C;\n"),
        ("d.rs", "pub(crate) struct D;\nuse crate::e::E;\n"),
        ("e.rs", "pub(crate) struct E;\nfn f(_: crate::c::C) {}\n"),
    ];
    assert_eq!(circle(&files), ["a/b.rs:1", "a/c.rs:3"]);
    let cut: Vec<_> = files.iter().map(|(name, text)| (*name, text.replace("{b, d::D}", "d::D"))).collect();
    let cut: Vec<_> = cut.iter().map(|(name, text)| (*name, text.as_str())).collect();
    assert_eq!(circle(&cut), ["a/c.rs:3", "a/d.rs:2", "a/e.rs:2"]);
}

#[test]
fn a_parent_may_use_its_children_unless_they_use_it() {
    let parent = "mod b;\npub use b::B;\npub const ONE: u8 = 1;\nfn f() { b::g() }\n";
    assert!(circle(&[("lib.rs", parent), ("b.rs", "pub struct B;\npub(super) fn g() {}\n")]).is_empty());
    assert_eq!(circle(&[("lib.rs", parent), ("b.rs", "use super::ONE;\n")]), ["a/b.rs:1", "a/lib.rs:2"]);
}

#[test]
fn a_reexport_leads_to_the_file_that_defines_the_name() {
    let lib = "mod b;\nmod c;\npub use b::B as Renamed;\npub use c::*;\npub use std::fmt::Debug;\n";
    let files = |c| [("lib.rs", lib), ("b.rs", "pub struct B;\nuse crate::Debug;\nuse crate::C;\n"), ("c.rs", c)];
    assert!(circle(&files("pub struct C;\n")).is_empty());
    assert_eq!(circle(&files("pub struct C;\nuse crate::Renamed;\n")), ["a/b.rs:3", "a/c.rs:2"]);
}

#[test]
fn tests_and_scopes_are_not_counted() {
    let b = "pub(in crate::c) struct B;\n#[cfg(test)]\nmod tests { use crate::c::C; }\n#[cfg(all(test, unix))]\nuse crate::c;\n";
    let files = |b| [("lib.rs", "mod b;\nmod c;\n"), ("b.rs", b), ("c.rs", "use super::b::B;\npub(crate) struct C;\n")];
    assert!(circle(&files(b)).is_empty());
    let not_test = b.replace("all(test, unix)", "not(test)");
    assert_eq!(circle(&files(&not_test)), ["a/b.rs:5", "a/c.rs:1"]);
}

#[test]
fn paths_count_wherever_they_are() {
    for used in [
        "fn f() { super::c::g() }",
        "fn f() { println!(\"{}\", super::c::g()) }",
        "fn f() { use crate::c::g; }",
        "impl crate::c::T for B {}",
        "mod inner { use super::super::c::g; }",
    ] {
        let b = format!("{used}\npub(crate) struct B;\n");
        let files = [("lib.rs", "mod b;\n#[path = \"elsewhere.rs\"]\nmod c;\n"), ("b.rs", b.as_str())];
        let c = ("elsewhere.rs", "pub(crate) trait T {}\npub(crate) fn g() {}\nuse crate::b::B;\n");
        assert_eq!(circle(&[files[0], files[1], c]), ["a/b.rs:1", "a/elsewhere.rs:3"], "{used}");
    }
}

#[test]
fn a_circle_planted_in_a_crate_of_ours_is_found() {
    for name in FREE_OF_CIRCLES {
        let mut sources = sources_beside(&root().join(name)).unwrap();
        let before = uses(&sources, Path::new(name)).unwrap();
        assert_eq!(shortest(&before), None);
        // Back from the end of any use to its beginning.
        let Use { from, to, .. } = before.iter().find(|each| !each.from.ends_with("lib.rs")).expect("some use");
        let module = module_of(from);
        let text = sources.get_mut(to).expect("a source");
        let line = text.lines().count() + 1;
        *text += &format!("use crate::{module};\n");
        let after = uses(&sources, Path::new(name)).unwrap();
        let circle = shortest(&after).expect("the planted circle");
        assert_eq!(circle.len(), 2, "{}", shown(&circle));
        assert!(
            shown(&circle).contains(&format!("{}:{line} uses crate::{module}", to.display())),
            "{}",
            shown(&circle)
        );
    }
}

/// The path of the module in a file, from the crate on: the folder `src` is the crate.
fn module_of(file: &Path) -> String {
    let inner: PathBuf = file.iter().skip_while(|part| *part != "src").skip(1).collect();
    let parts: Vec<_> = inner.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    parts.strip_suffix(&["mod".to_owned()]).unwrap_or(&parts).join("::")
}
