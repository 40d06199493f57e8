//! A disk that can be filled to its last byte.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::left_out::left_out;

/// A file system of its own; unmounted when dropped.
#[derive(Debug)]
pub struct Disk {
    pub path: PathBuf,
}

impl Disk {
    /// Of so many KiB; nothing where one cannot be made, which is said.
    pub fn of(path: PathBuf, kib: u32) -> Option<Self> {
        fs::create_dir(&path).expect("made");
        let size = format!("size={kib}k");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&path).output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            left_out("a full disk, as mounting one needs root");
            return None;
        }
        Some(Self { path })
    }

    /// Leaves no byte free.
    pub fn fill(&self) -> PathBuf {
        let path = self.path.join("filler");
        // Ends with the error that the disk is full.
        let mut file = fs::File::create(&path).expect("made");
        std::io::copy(&mut std::io::repeat(0), &mut file).expect_err("a disk has an end");
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l"]).arg(&self.path).output();
    }
}

/// Copies a folder of files as it is now.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
}
