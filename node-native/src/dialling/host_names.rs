//! The addresses of a host name, as this machine's own resolver knows them (`getaddrinfo`).
//!
//! It reads the hosts file and the settings of name servers anew when they change, and knows names that no name server
//! does (`hub.local`). Each family is asked for apart, so that a name server that does not answer about one does not
//! hold up the other.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use dns_lookup::{AddrFamily, AddrInfoHints, LookupErrorKind, SockType, getaddrinfo};
use futures::{FutureExt, future};
use tokio::sync::Semaphore;

use super::lock;

/// How long a look-up may take: two name servers that do not answer take 10 s by themselves. The system's may take several
/// times as long; it then ends by itself, unheard.
pub(crate) const LOOKUP_TIMEOUT: Duration = Duration::from_secs(12);
/// How long one waits for its turn.
const TURN_TIMEOUT: Duration = Duration::from_secs(5);
/// Whoever has not answered for so long is silent; the system asks again, or others, after it.
const SILENT_FOR: Duration = Duration::from_secs(4);
/// Look-ups under way, those counted that nobody hears any more; each holds a thread. Further ones wait their turn.
const MAX_LOOKUPS: usize = 32;

/// An address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Family {
    V4,
    V6,
}

/// Why a name could not be looked up: what happened, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum LookupError {
    /// There is no such name.
    #[error("the name {0} is not found; check its spelling and this machine's name servers")]
    Unknown(String),
    /// No name server answers, or the one that does knows no better.
    #[error("the name {0} cannot be looked up now; check this machine's network and name servers")]
    Failing(String),
    /// No name server answers.
    #[error("no name server answers about {0}; check this machine's network and name servers")]
    Silent(String),
    /// What else the system says.
    #[error("the name {0} cannot be looked up ({1}); check its spelling and this machine's name servers")]
    Other(String, String),
    /// As many were under way as may be at once (32), for as long as one waits for its turn.
    #[error("too many names are being looked up, {0} among them; check that this machine's name servers answer")]
    TooMany(String),
}

/// An answer that several dials may wait for.
pub(crate) type Answer = future::Shared<future::BoxFuture<'static, Result<Vec<IpAddr>, LookupError>>>;

/// Looks up host names.
#[derive(Debug, Clone)]
pub(crate) struct HostNames {
    /// Dials of one hub's addresses ask for one name at the same time.
    under_way: Arc<Mutex<HashMap<(String, Family), Answer>>>,
    threads: Arc<Semaphore>,
}

impl Default for HostNames {
    fn default() -> Self {
        Self { under_way: Arc::default(), threads: Arc::new(Semaphore::new(MAX_LOOKUPS)) }
    }
}

impl HostNames {
    /// The addresses of one family, those first that the system prefers.
    pub(crate) fn addresses(&self, name: &str, family: Family) -> Answer {
        let question = (name.to_owned(), family);
        let mut under_way = lock(&self.under_way);
        if let Some(answer) = under_way.get(&question) {
            return answer.clone();
        }
        let (threads, table, asked) = (self.threads.clone(), self.under_way.clone(), question.clone());
        let answer = async move {
            let answer = ask(threads, &asked.0, family).await;
            lock(&table).remove(&asked);
            answer
        };
        let answer = answer.boxed().shared();
        under_way.insert(question, answer.clone());
        // Goes on when those who wait give up, so that nobody is given an old answer later.
        tokio::spawn(answer.clone());
        answer
    }
}

async fn ask(threads: Arc<Semaphore>, name: &str, family: Family) -> Result<Vec<IpAddr>, LookupError> {
    // In turn: names that strangers tell of themselves must not keep out those that somebody configured.
    let thread = tokio::time::timeout(TURN_TIMEOUT, threads.acquire_owned()).await;
    let Ok(Ok(thread)) = thread else { return Err(LookupError::TooMany(name.to_owned())) };
    let asked = name.to_owned();
    let task = tokio::task::spawn_blocking(move || {
        let began = Instant::now();
        let answer = ask_system(&asked, family);
        drop(thread);
        match answer {
            // The system does not tell one that fails from one that is silent.
            Err(LookupError::Failing(name)) if began.elapsed() >= SILENT_FOR => Err(LookupError::Silent(name)),
            answer => answer,
        }
    });
    match tokio::time::timeout(LOOKUP_TIMEOUT, task).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => Err(LookupError::Other(name.to_owned(), error.to_string())),
        Err(_) => Err(LookupError::Silent(name.to_owned())),
    }
}

fn ask_system(name: &str, family: Family) -> Result<Vec<IpAddr>, LookupError> {
    let address = match family {
        Family::V4 => AddrFamily::Inet,
        Family::V6 => AddrFamily::Inet6,
    };
    let hints =
        AddrInfoHints { address: address.into(), socktype: SockType::Stream.into(), ..AddrInfoHints::default() };
    let owned = || name.to_owned();
    let found = getaddrinfo(Some(name), None, Some(hints)).map_err(|error| match error.kind() {
        LookupErrorKind::NoName | LookupErrorKind::NoData => LookupError::Unknown(owned()),
        LookupErrorKind::Again => LookupError::Failing(owned()),
        _ => LookupError::Other(owned(), std::io::Error::from(error).to_string()),
    })?;
    let found: Vec<IpAddr> = found.flatten().map(|info| info.sockaddr.ip()).collect();
    if found.is_empty() { Err(LookupError::Unknown(owned())) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_of_this_machine_is_found_by_family() {
        let names = HostNames::default();
        let found = names.addresses("localhost", Family::V4).await.unwrap();
        assert!(!found.is_empty() && found.iter().all(|ip| ip.is_loopback() && ip.is_ipv4()), "{found:?}");
        for odd in ["", "a..b", "nul\0", &"x".repeat(5000)] {
            assert!(names.addresses(odd, Family::V4).await.is_err(), "{odd:?}");
        }
        assert!(lock(&names.under_way).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn look_ups_are_bounded_and_one_serves_all_who_ask() {
        let names = HostNames { threads: Arc::new(Semaphore::new(1)), ..HostNames::default() };
        let (one, same) = (names.addresses("localhost", Family::V4), names.addresses("localhost", Family::V4));
        assert!(one.ptr_eq(&same));
        let held = names.threads.clone().acquire_owned().await.unwrap();
        assert_eq!(names.addresses("other", Family::V4).await, Err(LookupError::TooMany("other".into())));
        let waits = names.addresses("LOCALHOST", Family::V4);
        assert!(tokio::time::timeout(TURN_TIMEOUT / 2, waits.clone()).await.is_err(), "its turn has not come");
        drop(held);
        tokio::time::resume();
        assert!(!waits.await.unwrap().is_empty());
    }
}
