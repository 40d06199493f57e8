//! The program libFuzzer drives; `TINCAN_FUZZ` names the target.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tincan_fuzz::{TARGETS, Target};

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("TINCAN_FUZZ").unwrap_or_default();
    TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| panic!("TINCAN_FUZZ={name} names no target"))
});

fuzz_target!(|bytes: &[u8]| (TARGET.run)(bytes));
