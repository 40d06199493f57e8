//! Whose datagrams are whose, among the connections of one socket.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    admission::{Admission, Id},
    heralds::Heralds,
    inbox::Inbox,
    socket::Datagram,
};

/// Addresses that one connection may be reached from.
const MAX_ADDRESSES: usize = 32;

/// See the [module](self); and who is about to have one.
#[derive(Default)]
pub(super) struct Routes {
    by_id: HashMap<Id, Route>,
    by_address: HashMap<SocketAddr, Id>,
    by_username: HashMap<String, Id>,
    pub(super) heralds: Heralds,
    pub(super) admission: Admission,
}

/// The routes of one socket, for those who read it and for whoever ends a connection or a handshake.
#[derive(Clone, Default)]
pub(super) struct SharedRoutes(Arc<Mutex<Routes>>);

impl SharedRoutes {
    pub(super) fn lock(&self) -> MutexGuard<'_, Routes> {
        // A panic while it is held leaves maps of which each entry is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Route {
    inbox: Inbox,
    addresses: Vec<SocketAddr>,
    /// Of who dialled.
    username: Option<String>,
}

impl Routes {
    /// A connection begins, to or from an address.
    pub(super) fn add(&mut self, id: Id, inbox: Inbox, theirs: SocketAddr, username: Option<String>) {
        if let Some(username) = &username {
            self.by_username.insert(username.clone(), id);
        }
        self.by_address.insert(theirs, id);
        self.by_id.insert(id, Route { inbox, addresses: vec![theirs], username });
    }

    /// Whose address this is.
    pub(super) fn of(&self, theirs: SocketAddr) -> Option<Id> {
        self.by_address.get(&theirs).copied()
    }

    /// Passes a datagram on to the connection that has its address.
    pub(super) fn forward(&self, datagram: Datagram<'_>) {
        if let Some(route) = self.of(datagram.from).and_then(|id| self.by_id.get(&id)) {
            route.inbox.put(datagram);
        }
    }

    /// Passes a datagram on to who dialled by this name, from another address than before if need be; false where nobody
    /// did. An address that another connection has stays with that: who sends from it is not proven.
    pub(super) fn forward_of(&mut self, username: &str, datagram: Datagram<'_>) -> bool {
        let Some(id) = self.by_username.get(username) else { return false };
        let Some(route) = self.by_id.get_mut(id) else { return false };
        if route.addresses.len() < MAX_ADDRESSES
            && let Entry::Vacant(free) = self.by_address.entry(datagram.from)
        {
            free.insert(*id);
            route.addresses.push(datagram.from);
        }
        route.inbox.put(datagram);
        true
    }

    /// A connection has ended, or has to.
    pub(super) fn remove(&mut self, id: Id) {
        self.admission.over(id);
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
