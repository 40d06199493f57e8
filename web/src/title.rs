//! What the browser shows of this page while another is in front: its title and its icon.

use leptos::prelude::*;
use tincan_shared::neutralise;
use wasm_bindgen::JsCast;
use web_sys::HtmlLinkElement;

use crate::{model::Model, session::Session};

/// The icon of a page with unread lines; beside the page.
const UNREAD_ICON: &str = "icon-unread.svg";

/// Keeps both in step with the room on the screen and the number of unread lines.
pub(crate) fn follow(session: Session) {
    let current = Memo::new(move |_| session.model.with(|model| model.current.clone()));
    let unread = Memo::new(move |_| session.model.with(Model::unread));
    Effect::new(move || {
        let room = current.with(|room| neutralise(room, false));
        let count = match unread.get() {
            0 => String::new(),
            n => format!("({n}) "),
        };
        let room = if room.is_empty() { room } else { format!("{room} · ") };
        document().set_title(&format!("{count}{room}Tincan"));
    });
    let any_unread = Memo::new(move |_| unread.get() > 0);
    let icon =
        document().query_selector("link[rel=icon]").ok().flatten().map(JsCast::unchecked_into::<HtmlLinkElement>);
    let Some((read_icon, icon)) = icon.and_then(|icon| Some((icon.get_attribute("href")?, icon))) else { return };
    let icon = StoredValue::new_local(icon);
    Effect::new(move |before: Option<bool>| {
        let unread = any_unread.get();
        if before.unwrap_or(false) != unread {
            icon.with_value(|icon| icon.set_href(if unread { UNREAD_ICON } else { &read_icon }));
        }
        unread
    });
}
