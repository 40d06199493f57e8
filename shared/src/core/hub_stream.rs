//! This node's stream to one hub.

use n0_future::time::Instant;

use crate::hub::wire::Watch;

/// This node's stream to a hub it is connected to.
#[derive(Debug)]
pub(super) enum HubStream {
    Opening { serial: u64 },
    Open { serial: u64, told: Option<Watch>, greeted: bool },
    Waiting { until: Instant },
}

impl HubStream {
    pub(super) fn serial(&self) -> Option<u64> {
        match self {
            Self::Opening { serial } | Self::Open { serial, .. } => Some(*serial),
            Self::Waiting { .. } => None,
        }
    }

    /// When to open it again.
    pub(super) fn reopens_at(&self) -> Option<Instant> {
        match self {
            Self::Waiting { until } => Some(*until),
            _ => None,
        }
    }
}
