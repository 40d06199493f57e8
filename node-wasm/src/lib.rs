//! Tincan in a browser: what a page hands the node, and the node as the page holds it.
//!
//! | file | what lives there |
//! |---|---|
//! | [`page`] | [`PageNode`]: the one seam through which a page holds its node |
//! | [`transport`], `dialable` | puts the transports together; which addresses a page can dial |
//! | `dial_order` | which of a hub's addresses goes first |
//! | [`websocket`] | libp2p over the browser's WebSocket |
//! | [`hubs`] | a hub's addresses as seen from this page |
//! | `bootstrap` | whom to connect to, asked again when the hub is lost |
//! | [`host`] | what the page learns that is not the node's to tell |
//! | `origin` | `GET /api/v1/node` of the page's own origin |
//! | [`storage`] | IndexedDB, written behind, and a journal for what a page leaves unwritten |
//! | [`identity`] | one stored key per tab |
//! | [`passport`], [`vault`] | an identity as a file; taking this tab's along, or another one's place |
//! | [`election`] | which tab runs which key |
//! | `start` | puts these together |
//! | `lifecycle` | what happens when the page goes away, comes back, or another tab needs what it keeps |
//! | `wake` | whether connections still work after a pause |

#![deny(missing_docs)]

mod bootstrap;
mod dial_order;
mod dialable;
pub mod election;
pub mod host;
pub mod hubs;
pub mod identity;
mod lifecycle;
mod origin;
pub mod page;
pub mod passport;
mod start;
pub mod storage;
pub mod transport;
pub mod vault;
mod wake;
pub mod websocket;

use getrandom_03 as _;
use getrandom_04 as _;

pub use host::{Host, HostNews, Origin};
pub use page::{PageEvents, PageNode};
pub use passport::Passport;
pub use start::{Options, Stage, Started, start};
pub use vault::Vault;
