//! A terminal for the real binary, with a screen that can be looked at.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    num::NonZero,
    os::{fd::OwnedFd, unix::fs::OpenOptionsExt},
    process::{Child, Command, ExitStatus},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};

use super::PATIENCE;

const ROWS: u16 = 30;
const COLUMNS: u16 = 100;
/// Opens a terminal without making it the test's own.
const O_NOCTTY: i32 = 0o400;

fn size(cells: u16) -> NonZero<u16> {
    NonZero::new(cells).expect("some cells")
}

/// A pair of ends: what is written to one is read at the other.
pub struct Pty {
    master: OwnedFd,
    slave: File,
}

impl Pty {
    pub fn open() -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&master).expect("granted");
        unlockpt(&master).expect("unlocked");
        let name = ptsname(&master, Vec::new()).expect("a name").into_string().expect("a path");
        let slave = OpenOptions::new().read(true).write(true).custom_flags(O_NOCTTY).open(name).expect("its other end");
        let size = Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).expect("a size");
        Self { master, slave }
    }

    /// Has the program start on it.
    pub fn attach(&self, command: &mut Command) {
        let end = || self.slave.try_clone().expect("cloned");
        command.stdin(end()).stdout(end()).stderr(end()).env("TERM", "xterm");
    }

    /// The end that the program is not on. When it is dropped, the terminal is gone.
    pub fn into_master(self) -> File {
        File::from(self.master)
    }
}

/// A program on a terminal; killed when dropped.
pub struct OnTerminal {
    child: Child,
    keyboard: File,
    slave: File,
    coming: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    _home: tempfile::TempDir,
}

impl OnTerminal {
    pub fn start(mut command: Command, home: tempfile::TempDir) -> Self {
        let pty = Pty::open();
        pty.attach(&mut command);
        let child = command.spawn().expect("the binary starts");
        drop(command);
        let slave = pty.slave.try_clone().expect("cloned");
        let keyboard = pty.into_master();
        let mut shown = keyboard.try_clone().expect("cloned");
        let (sender, coming) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = shown.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            keyboard,
            slave,
            coming,
            screen: vt100::Parser::new(size(ROWS), size(COLUMNS), 1000),
            _home: home,
        }
    }

    pub fn keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("typed");
    }

    /// The screen's lines, without what is empty below.
    pub fn lines(&self) -> Vec<String> {
        let text = self.screen.screen().contents();
        text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect()
    }

    /// Waits until the screen looks like that.
    #[track_caller]
    pub fn shows(&mut self, what: &str, fits: impl Fn(&[String]) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !fits(&self.lines()) {
            match self.coming.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("no {what} on the screen: {:#?}", self.lines())
                }
            }
        }
    }

    /// Waits until a line of the screen contains that.
    #[track_caller]
    pub fn shows_line(&mut self, part: &str) {
        self.shows(part, |lines| lines.iter().any(|line| line.contains(part)));
    }

    /// Waits until this stands in the last line, where one types.
    #[track_caller]
    pub fn is_typing(&mut self, last: &str) {
        self.shows(last, |lines| lines.last().is_some_and(|line| line == last));
    }

    /// Whether the terminal shows what is typed and waits for whole lines, as a shell left it.
    pub fn is_as_before(&self) -> bool {
        tcgetattr(&self.slave).expect("its modes").local_modes.contains(LocalModes::ICANON | LocalModes::ECHO)
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().expect("kill runs");
        assert!(sent.success(), "kill -s {name}");
    }

    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("the child is ours") {
                return status;
            }
            assert!(Instant::now() < until, "still running; {:#?}", self.lines());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
