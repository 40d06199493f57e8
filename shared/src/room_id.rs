//! A room's name, shared by all who hold it.

use std::{borrow::Borrow, fmt, ops::Deref, sync::Arc};

/// The name of a room, which is its gossipsub topic. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RoomId(Arc<str>);

impl Deref for RoomId {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for RoomId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for RoomId {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for RoomId {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl From<&RoomId> for RoomId {
    fn from(room: &Self) -> Self {
        room.clone()
    }
}
