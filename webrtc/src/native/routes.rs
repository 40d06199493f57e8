//! Which connection of a socket a datagram belongs to: by its source address, or by its ICE user name.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    admission::{Admission, ConnectionId},
    datagram_queue::DatagramQueue,
    introductions::StunIntroductions,
    socket::Datagram,
};

/// Addresses that one connection may have.
const MAX_ADDRESSES: usize = 32;

/// The connections of one socket, and the strangers and handshakes that may become one.
#[derive(Default)]
pub(super) struct Routes {
    by_id: HashMap<ConnectionId, Route>,
    by_address: HashMap<SocketAddr, ConnectionId>,
    by_username: HashMap<String, ConnectionId>,
    pub(super) introductions: StunIntroductions,
    pub(super) admission: Admission,
}

/// Routes shared by the endpoint, its connections and the handshakes in flight.
#[derive(Clone, Default)]
pub(super) struct SharedRoutes(Arc<Mutex<Routes>>);

impl SharedRoutes {
    pub(super) fn lock(&self) -> MutexGuard<'_, Routes> {
        // A panic while it is held leaves maps of which each entry is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Route {
    queue: DatagramQueue,
    addresses: Vec<SocketAddr>,
    /// Of an inbound connection.
    username: Option<String>,
}

impl Routes {
    /// Adds a connection with the other side at this address.
    pub(super) fn add(&mut self, id: ConnectionId, queue: DatagramQueue, theirs: SocketAddr, username: Option<String>) {
        if let Some(username) = &username {
            self.by_username.insert(username.clone(), id);
        }
        self.by_address.insert(theirs, id);
        self.by_id.insert(id, Route { queue, addresses: vec![theirs], username });
    }

    /// The connection at this address.
    pub(super) fn of(&self, theirs: SocketAddr) -> Option<ConnectionId> {
        self.by_address.get(&theirs).copied()
    }

    /// Passes a datagram on to the connection at its source address.
    pub(super) fn forward(&self, datagram: Datagram<'_>) {
        if let Some(route) = self.of(datagram.from).and_then(|id| self.by_id.get(&id)) {
            route.queue.push(datagram);
        }
    }

    /// Passes a datagram on to the inbound connection with this user name, and adds its source to the connection's
    /// addresses; false if there is none. An address that another connection has stays with that one, since the source is
    /// not proven.
    pub(super) fn forward_by_username(&mut self, username: &str, datagram: Datagram<'_>) -> bool {
        let Some(id) = self.by_username.get(username) else { return false };
        let Some(route) = self.by_id.get_mut(id) else { return false };
        if route.addresses.len() < MAX_ADDRESSES
            && let Entry::Vacant(free) = self.by_address.entry(datagram.from)
        {
            free.insert(*id);
            route.addresses.push(datagram.from);
        }
        route.queue.push(datagram);
        true
    }

    /// Forgets a connection that has ended, or that has to: its driver ends when its queue is closed.
    pub(super) fn remove(&mut self, id: ConnectionId) {
        self.admission.remove(id);
        let Some(route) = self.by_id.remove(&id) else { return };
        for address in &route.addresses {
            if self.by_address.get(address) == Some(&id) {
                self.by_address.remove(address);
            }
        }
        if let Some(username) = &route.username {
            self.by_username.remove(username);
        }
    }
}
