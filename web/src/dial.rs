//! Connecting to an address by hand.

use leptos::{ev, prelude::*, task::spawn_local};
use tincan_shared::{neutralise, short_id};

use crate::{keys, session::session};

/// Where an attempt stands.
#[derive(Debug, Clone, PartialEq)]
enum Attempt {
    None,
    UnderWay,
    Connected(String),
    Failed(String),
}

#[component]
pub(crate) fn Dial() -> impl IntoView {
    let session = session();
    let typed = RwSignal::new(String::new());
    let attempt = RwSignal::new(Attempt::None);
    let dial = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let address = typed.get_untracked().trim().to_owned();
        if attempt.get_untracked() == Attempt::UnderWay {
            return;
        }
        attempt.set(Attempt::UnderWay);
        spawn_local(async move {
            match session.dial(address.clone()).await {
                Ok(peer) => {
                    // Only what was dialled goes; what was typed since stays.
                    typed.update(|text| {
                        if text.trim() == address {
                            text.clear();
                        }
                    });
                    attempt.set(Attempt::Connected(format!("Connected to …{}.", short_id(&peer))));
                }
                Err(error) => attempt.set(Attempt::Failed(neutralise(&error.to_string(), false))),
            }
        });
    };
    let under_way = Memo::new(move |_| attempt.get() == Attempt::UnderWay);
    let failed = Memo::new(move |_| matches!(attempt.get(), Attempt::Failed(_)));
    view! {
        <form class="dial" on:submit=dial>
            <label for="dial-input">"Connect to an address"</label>
            <div class="field">
                <input
                    id="dial-input"
                    data-testid="dial-input"
                    placeholder="/ip4/…/p2p/…"
                    on:keydown=move |event| drop(keys::pressed(&event))
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    aria-describedby="dial-said"
                    aria-invalid=move || failed.get().then_some("true")
                    prop:value=move || typed.get()
                    on:input=move |event| {
                        typed.set(event_target_value(&event));
                        if !under_way.get_untracked() {
                            attempt.set(Attempt::None);
                        }
                    }
                />
                <button type="submit" class="button" data-testid="dial-button" aria-busy=move || under_way.get().to_string()>
                    {move || if under_way.get() { "Dialling…" } else { "Connect" }}
                </button>
            </div>
            <div id="dial-said" role="status">
                {move || match attempt.get() {
                    Attempt::Failed(reason) => view! { <p class="error" data-testid="error">{reason}</p> }.into_any(),
                    Attempt::Connected(said) => view! { <p class="said">{said}</p> }.into_any(),
                    Attempt::None | Attempt::UnderWay => ().into_any(),
                }}
            </div>
        </form>
    }
}
