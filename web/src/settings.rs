//! What belongs to this browser alone, folded away.

use leptos::prelude::*;

use crate::{
    identity::Identity,
    mute::MutedList,
    notifications::{self, Notifications},
    session::session,
};

#[component]
pub(crate) fn Settings() -> impl IntoView {
    let notifications = notifications::follow(session());
    view! {
        <details class="settings">
            <summary data-testid="settings-toggle">"This browser"</summary>
            <section aria-labelledby="notify-title">
                <h3 id="notify-title">"Notifications"</h3>
                <Notifications state=notifications />
            </section>
            <section aria-labelledby="identity-title">
                <h3 id="identity-title">"Identity"</h3>
                <Identity />
            </section>
            <section aria-labelledby="muted-title">
                <h3 id="muted-title">"Muted"</h3>
                <MutedList />
            </section>
        </details>
    }
}
