//! A path whose length changes: datagrams between one dialer and one listener, some of them later.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::UdpSocket,
    sync::{Mutex, mpsc},
    time::{Instant, sleep_until},
};

/// What the path holds; more is lost.
const MAX_QUEUED: usize = 4096;
const MAX_DATAGRAM_BYTES: usize = 2048;

/// Where to send what is meant for the listener. Each way, so many datagrams go at once and as many take `delay`, in turn.
pub(crate) async fn changing(listener: SocketAddr, each: usize, delay: Duration) -> SocketAddr {
    let [near, far] = [socket().await, socket().await];
    let here = near.local_addr().expect("bound");
    let dialer = Arc::new(Mutex::new(None));
    tokio::spawn(way(near.clone(), far.clone(), each, delay, {
        let dialer = dialer.clone();
        async move |from| {
            *dialer.lock().await = Some(from);
            Some(listener)
        }
    }));
    tokio::spawn(way(far, near, each, delay, async move |_| *dialer.lock().await));
    here
}

async fn socket() -> Arc<UdpSocket> {
    Arc::new(UdpSocket::bind("127.0.0.1:0").await.expect("a socket"))
}

#[allow(clippy::disallowed_methods, reason = "the path is the clock")]
async fn way(
    from: Arc<UdpSocket>,
    to: Arc<UdpSocket>,
    each: usize,
    delay: Duration,
    whither: impl AsyncFn(SocketAddr) -> Option<SocketAddr>,
) {
    let (queue, mut queued) = mpsc::channel::<(Instant, SocketAddr, Vec<u8>)>(MAX_QUEUED);
    tokio::spawn(async move {
        while let Some((due, target, bytes)) = queued.recv().await {
            sleep_until(due).await;
            // An error is a loss.
            let _ = to.send_to(&bytes, target).await;
        }
    });
    let mut buffer = [0; MAX_DATAGRAM_BYTES];
    for count in 0_usize.. {
        let Ok((length, sender)) = from.recv_from(&mut buffer).await else { return };
        let Some(target) = whither(sender).await else { continue };
        let later = if (count / each).is_multiple_of(2) { Duration::ZERO } else { delay };
        let _ = queue.try_send((Instant::now() + later, target, buffer[..length].to_vec()));
    }
}
