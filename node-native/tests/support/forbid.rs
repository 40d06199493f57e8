//! Programs to which the system refuses something, as a hardened service or an odd file system does.
#![cfg(target_os = "linux")]

use std::{collections::BTreeMap, thread};

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};

use super::{Running, Tincan};

/// A system call that fails.
#[derive(Debug, Clone, Copy)]
pub struct Forbidden {
    /// Its number on this architecture.
    call: i64,
    /// Only where the argument of this place, from 0, is this.
    only: Option<(u8, u64)>,
    /// The error that it ends in.
    error: u32,
}

/// As systemd's `RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX` makes it: `socket(AF_NETLINK, …)` is `EAFNOSUPPORT`.
pub const NETLINK: Forbidden = Forbidden { call: SOCKET, only: Some((0, 16)), error: 97 };
/// As a kernel without IPv6: `socket(AF_INET6, …)` is `EAFNOSUPPORT`.
pub const IPV6: Forbidden = Forbidden { call: SOCKET, only: Some((0, 10)), error: 97 };

/// As NFS without a lock daemon: `flock` is `ENOLCK`.
pub const LOCKS: Forbidden = Forbidden { call: FLOCK, only: None, error: 37 };
/// As some FUSE and network file systems: `flock` is `EOPNOTSUPP`.
pub const LOCKS_UNKNOWN: Forbidden = Forbidden { call: FLOCK, only: None, error: 95 };
/// As a file system that locks whole files only: `fcntl(…, F_OFD_SETLK, …)` is `ENOLCK`.
pub const RANGE_LOCKS: Forbidden = Forbidden { call: FCNTL, only: Some((1, 37)), error: 37 };

#[cfg(target_arch = "x86_64")]
const SOCKET: i64 = 41;
#[cfg(target_arch = "aarch64")]
const SOCKET: i64 = 198;
#[cfg(target_arch = "x86_64")]
const FCNTL: i64 = 72;
#[cfg(target_arch = "aarch64")]
const FCNTL: i64 = 25;
#[cfg(target_arch = "x86_64")]
const FLOCK: i64 = 73;
#[cfg(target_arch = "aarch64")]
const FLOCK: i64 = 32;

impl Tincan {
    /// Starts it with these calls forbidden, to it and to all that it starts.
    pub fn start_without(self, forbidden: Forbidden) -> Running {
        // A filter holds for the thread that sets it and for what that thread starts, and cannot be taken off.
        thread::spawn(move || {
            apply_filter(&forbidden.filter()).expect("a filter for oneself needs no privilege");
            self.start()
        })
        .join()
        .expect("it starts")
    }
}

impl Forbidden {
    fn filter(self) -> BpfProgram {
        let only = self.only.map(|(place, value)| {
            let equal = SeccompCondition::new(place, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value);
            SeccompRule::new(vec![equal.expect("a call has such an argument")]).expect("one condition")
        });
        let rules = BTreeMap::from([(self.call, only.into_iter().collect())]);
        let architecture = std::env::consts::ARCH.try_into().expect("one that seccomp is known for");
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(self.error), architecture);
        filter.and_then(TryInto::try_into).expect("a filter")
    }
}
