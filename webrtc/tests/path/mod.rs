//! Paths for datagrams between one dialer and one listener: later, some of them, or lost.

mod log;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::UdpSocket,
    sync::{Mutex, mpsc},
    time::{Instant, sleep_until},
};

pub(crate) use log::Log;
use log::Passed;

/// What the path holds; more is lost.
const MAX_QUEUED: usize = 4096;
const MAX_DATAGRAM_BYTES: usize = 2048;

/// Where to send what is meant for the listener. Each way, so many datagrams go at once and as many take `delay`, in turn.
pub(crate) async fn changing(listener: SocketAddr, each: usize, delay: Duration) -> SocketAddr {
    let later = move |count: usize| if (count / each).is_multiple_of(2) { Duration::ZERO } else { delay };
    between(listener, later, Log::default()).await
}

/// The same for a path that takes `delay` each way, and keeps a log of what passes.
pub(crate) async fn far(listener: SocketAddr, delay: Duration, log: Log) -> SocketAddr {
    between(listener, move |_| delay, log).await
}

async fn between(
    listener: SocketAddr,
    later: impl Fn(usize) -> Duration + Send + Copy + 'static,
    log: Log,
) -> SocketAddr {
    let [near, far] = [socket().await, socket().await];
    let here = near.local_addr().expect("bound");
    let dialer = Arc::new(Mutex::new(None));
    let there =
        Way { from: near.clone(), to: far.clone(), log: log.clone(), begins: Passed::Sent, ends: Passed::Arrived };
    let back = Way { from: far, to: near, log, begins: Passed::Answered, ends: Passed::Returned };
    tokio::spawn(there.run(later, {
        let dialer = dialer.clone();
        async move |from| {
            *dialer.lock().await = Some(from);
            Some(listener)
        }
    }));
    tokio::spawn(back.run(later, async move |_| *dialer.lock().await));
    here
}

async fn socket() -> Arc<UdpSocket> {
    Arc::new(UdpSocket::bind("127.0.0.1:0").await.expect("a socket"))
}

struct Way {
    from: Arc<UdpSocket>,
    to: Arc<UdpSocket>,
    log: Log,
    begins: Passed,
    ends: Passed,
}

impl Way {
    #[allow(clippy::disallowed_methods, reason = "the path is the clock")]
    async fn run(
        self,
        later: impl Fn(usize) -> Duration + Send + 'static,
        whither: impl AsyncFn(SocketAddr) -> Option<SocketAddr>,
    ) {
        let Self { from, to, log, begins, ends } = self;
        let (queue, mut queued) = mpsc::channel::<(Instant, SocketAddr, Vec<u8>)>(MAX_QUEUED);
        let arriving = log.clone();
        tokio::spawn(async move {
            while let Some((due, target, bytes)) = queued.recv().await {
                sleep_until(due).await;
                arriving.note(ends, &bytes);
                // An error is a loss.
                let _ = to.send_to(&bytes, target).await;
            }
        });
        let mut buffer = [0; MAX_DATAGRAM_BYTES];
        for count in 0_usize.. {
            let Ok((length, sender)) = from.recv_from(&mut buffer).await else { return };
            let Some(target) = whither(sender).await else { continue };
            if log.note(begins, &buffer[..length]) {
                let _ = queue.try_send((Instant::now() + later(count), target, buffer[..length].to_vec()));
            }
        }
    }
}
