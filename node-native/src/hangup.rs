//! A terminal that is gone.

use std::{
    io::{self, IsTerminal},
    os::fd::{AsFd, OwnedFd},
    thread,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
};
use tokio::sync::oneshot;

/// Resolves when the terminal that this program was started on is gone: its window was closed, or the connection to it
/// lost. Nothing for a program that has none, as a service or after `nohup`.
///
/// That is not SIGHUP, which anybody can send and which a hub takes for a request to read its settings anew.
#[must_use]
pub fn watch() -> Option<oneshot::Receiver<()>> {
    let terminal = terminal()?;
    let (gone, told) = oneshot::channel();
    thread::spawn(move || {
        if is_gone(&terminal) {
            let _ = gone.send(());
        } else {
            // It cannot be known: never is safer than at once.
            std::mem::forget(gone);
        }
    });
    Some(told)
}

/// Of standard input, output and error the first that is a terminal.
fn terminal() -> Option<OwnedFd> {
    let kept = |stream: &dyn AsFd| stream.as_fd().try_clone_to_owned().ok();
    let (input, output, error) = (io::stdin(), io::stdout(), io::stderr());
    if input.is_terminal() {
        kept(&input)
    } else if output.is_terminal() {
        kept(&output)
    } else if error.is_terminal() {
        kept(&error)
    } else {
        None
    }
}

/// Waits; says whether the terminal is gone, or that cannot be told.
fn is_gone(terminal: &OwnedFd) -> bool {
    loop {
        // Nothing is asked for: the system tells of a hang-up all the same.
        let mut polled = [PollFd::new(terminal, PollFlags::empty())];
        match poll(&mut polled, None) {
            Ok(_) if polled[0].revents().intersects(PollFlags::HUP | PollFlags::ERR) => return true,
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) | Err(_) => return false,
        }
    }
}
