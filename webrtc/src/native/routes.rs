//! Whose datagrams are whose, among the connections of one socket.

use std::{collections::HashMap, net::SocketAddr};

use tokio::sync::mpsc;

use super::{
    admission::{Admission, Id},
    driver::Packet,
    heralds::Heralds,
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

struct Route {
    packets: mpsc::Sender<Packet>,
    addresses: Vec<SocketAddr>,
    /// Of who dialled.
    username: Option<String>,
}

impl Routes {
    /// A connection begins, to or from an address.
    pub(super) fn add(&mut self, id: Id, packets: mpsc::Sender<Packet>, theirs: SocketAddr, username: Option<String>) {
        if let Some(username) = &username {
            self.by_username.insert(username.clone(), id);
        }
        self.by_address.insert(theirs, id);
        self.by_id.insert(id, Route { packets, addresses: vec![theirs], username });
    }

    /// Whose address this is.
    pub(super) fn of(&self, theirs: SocketAddr) -> Option<Id> {
        self.by_address.get(&theirs).copied()
    }

    /// Passes a datagram on to its connection; false where nobody has that address.
    pub(super) fn forward(&self, datagram: Datagram<'_>) -> bool {
        let route = self.of(datagram.from).and_then(|id| self.by_id.get(&id));
        if let Some(route) = route {
            let packet = Packet { from: datagram.from, to: datagram.to, bytes: datagram.bytes.to_vec() };
            // Where too many wait, one is lost as if on its way.
            let _ = route.packets.try_send(packet);
        }
        route.is_some()
    }

    /// The same for somebody who dialled, from another address than before; false where nobody did by that name.
    pub(super) fn forward_of(&mut self, username: &str, datagram: Datagram<'_>) -> bool {
        let Some(id) = self.by_username.get(username) else { return false };
        if let Some(route) = self.by_id.get_mut(id).filter(|route| route.addresses.len() < MAX_ADDRESSES) {
            route.addresses.push(datagram.from);
            self.by_address.insert(datagram.from, *id);
        }
        self.forward(datagram);
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
