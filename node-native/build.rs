//! Builds again when the page was built again: release builds carry it inside.

use std::path::Path;

fn main() {
    // Cargo takes a missing path for changed at every build, so the folder is watched only once it is there.
    let dist = Path::new("../web/dist");
    let watched = if dist.is_dir() { dist } else { Path::new("../web") };
    println!("cargo:rerun-if-changed={}", watched.display());
}
