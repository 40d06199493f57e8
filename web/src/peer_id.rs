//! A peer id, short on the screen and whole on hover, focus and copy.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use tincan_shared::{PeerId, short_id};

use crate::copy::copy;

/// How long "copied" stays.
const COPIED_FOR: Duration = Duration::from_millis(1500);

/// A button that copies the whole id.
#[component]
pub(crate) fn IdButton(peer: PeerId, #[prop(optional)] testid: Option<&'static str>) -> impl IntoView {
    let whole = peer.to_string();
    let short = format!("…{}", short_id(&peer));
    let copied = RwSignal::new(false);
    let on_click = {
        let whole = whole.clone();
        move |_| {
            let whole = whole.clone();
            spawn_local(async move {
                if copy(&whole).await {
                    copied.set(true);
                    set_timeout(move || copied.set(false), COPIED_FOR);
                }
            });
        }
    };
    view! {
        <span class="id-holder">
            <button
                type="button"
                class="id"
                data-testid=testid
                data-peer=whole.clone()
                title=whole.clone()
                aria-label=format!("{short}, copy the peer id {whole}")
                on:click=on_click
            >
                {short.clone()}
            </button>
            <span class="copied" role="status">{move || copied.get().then_some("copied")}</span>
        </span>
    }
}
