//! The page. Everything on the screen comes from the node's event stream; nothing here speaks the network.
//!
//! | file | what lives there |
//! |---|---|
//! | [`session`] | the node as the page holds it, and what the page asks of it |
//! | [`model`] | what the page knows, and the one place where events change it |
//! | [`changes`] | when the screen hears of it: at most once a frame |
//! | [`lines`], [`rows`], [`portions`], [`row_list`], [`arrivals`] | the lines of a room in order, as rows on the screen, how many rows at once, their place in the page, and which move in |
//! | [`roster`] | who is there |
//! | [`connection_status`], [`refusals`] | how the connection stands, and who refused what |
//! | [`reading`], [`unseen_messages`], [`muted`] | how far rooms are read, what nobody has seen yet, whose lines are hidden |
//! | [`keep`], [`drafts`], [`persist`] | what the page itself keeps in the browser |
//! | [`routing`] | what the page's address says |
//! | [`focus`] | where the keyboard goes on when what had the focus is gone |
//! | [`keys`] | keys, but for those that an input method has had |
//! | [`names`], [`lookalikes`] | names that people type, and those that look like another's |
//! | [`app`] | the regions of the screen |
//! | [`top`], [`notice`], [`rooms`], [`conversation`], [`message`], [`empty`], [`composer`], [`people`], [`dial`], [`console`] | a region each |
//! | [`attention`], [`title`], [`notifications`] | whether somebody looks, and what the browser shows of a hidden page |
//! | [`scroll`], [`fold`], [`mute`], [`unstored`] | parts of the conversation: where it stands, tall texts, muted people, lines not stored yet |
//! | [`settings`], [`identity`] | what belongs to this browser alone; this tab's identity as a file |
//! | [`identicon`], [`links`], [`peer_id`], [`logo`], [`copy`], [`clock`] | what several regions show |

#![allow(unreachable_pub, reason = "Leptos's component macro writes `pub` items of its own")]

mod app;
mod arrivals;
mod attention;
mod changes;
mod clock;
mod composer;
mod connection_status;
mod console;
mod conversation;
mod copy;
mod dial;
mod direct;
mod drafts;
mod empty;
mod focus;
mod fold;
mod identicon;
mod identity;
mod keep;
mod keys;
mod lines;
mod links;
mod logo;
mod lookalikes;
mod message;
mod model;
mod mute;
mod muted;
mod names;
mod notice;
mod notifications;
mod pace;
mod panel;
mod peer_id;
mod people;
mod persist;
mod portions;
mod reading;
mod refusals;
mod rooms;
mod roster;
mod routing;
mod row_list;
mod rows;
#[cfg(test)]
mod sample;
mod scroll;
mod session;
mod settings;
mod title;
mod top;
mod unseen_messages;
mod unstored;

use tracing_subscriber::{filter::LevelFilter, prelude::*};

fn main() {
    console_error_panic_hook::set_once();
    // No time: the console has its own, and std's clock does not exist here.
    let console = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .without_time()
        .with_writer(tracing_web::MakeWebConsoleWriter::new())
        .with_filter(LevelFilter::INFO);
    tracing_subscriber::registry().with(console).init();
    app::mount();
}
