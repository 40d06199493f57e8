//! This tab's identity as a file: taken along to another browser, or exchanged for one that comes from there.

use leptos::{html, prelude::*, task::spawn_local};
use tincan_shared::{config::DEFAULT_NICK, neutralise, short_id};
use tincan_wasm::{Passport, passport::MAX_FILE_BYTES};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, HtmlElement};

use crate::{routing, session::session};

#[component]
pub(crate) fn Identity() -> impl IntoView {
    let session = session();
    let error = RwSignal::new(None::<String>);
    let offered = RwSignal::new_local(None::<Passport>);
    let picker = NodeRef::<html::Input>::new();
    let save = move |_| {
        let saved = session.export_identity().and_then(|(name, text)| {
            download(&name, &text).map_err(|error| format!("the browser does not save the file: {error:?}"))
        });
        error.set(saved.err());
    };
    let pick = move |_| {
        if let Some(picker) = picker.get_untracked() {
            picker.click();
        }
    };
    let read = move |_| {
        offered.set(None);
        error.set(None);
        let Some(picker) = picker.get_untracked() else { return };
        let Some(file) = picker.files().and_then(|files| files.get(0)) else { return };
        // The same file may be picked again.
        picker.set_value("");
        spawn_local(async move {
            let checked = match text(&file).await {
                Ok(text) => session.check_identity(&text).await,
                Err(reason) => Err(reason),
            };
            match checked {
                Ok(passport) => offered.set(Some(passport)),
                Err(reason) => error.set(Some(reason)),
            }
        });
    };
    let accept = move |_| {
        let Some(passport) = offered.get_untracked() else { return };
        spawn_local(async move {
            match session.become_identity(&passport).await {
                Ok(()) => {
                    // Reloading fails for no page that is shown.
                    let _ = window().location().reload();
                }
                Err(reason) => error.set(Some(reason)),
            }
        });
    };
    let me = Memo::new(move |_| session.model.with(|model| model.me));
    let waiting = Memo::new(move |_| {
        session.model.with(|model| model.rooms.iter().map(|room| room.info.waiting).fold(0, u32::saturating_add))
    });
    view! {
        <p class="said">
            {move || me.get().map(|me| format!("This tab is …{}. ", short_id(&me)))}
            "Save it to a file to be the same peer in another browser. The file holds your secret key: whoever has it can speak as you."
        </p>
        <div class="choices">
            <button type="button" class="button" data-testid="identity-export" on:click=save>"Save to a file"</button>
            <button type="button" class="button" on:click=pick>"Load from a file…"</button>
            <input
                node_ref=picker
                type="file"
                accept="application/json,.json"
                hidden
                aria-label="Identity file"
                data-testid="identity-import"
                on:change=read
            />
        </div>
        <div role="alert">
            {move || error.get().map(|error| view! { <p class="error" data-testid="error">{error}</p> })}
        </div>
        <div role="status">
            {move || offered.with(|offered| offered.as_ref().map(name)).map(|name| view! {
                <p class="said" data-testid="identity-offer">
                    {format!("Become {name}? ")}
                    {move || me.get().map(|me| format!(
                        "This browser forgets …{} then, unless you saved it to a file. ", short_id(&me)
                    ))}
                    {move || dropped(waiting.get())}
                    "Close Tincan wherever else this identity runs: where one runs twice, both lose lines."
                </p>
                <div class="choices">
                    <button type="button" class="button" data-testid="identity-accept" on:click=accept>{format!("Become {name}")}</button>
                    <button type="button" class="button plain" data-testid="identity-cancel" on:click=move |_| offered.set(None)>"Cancel"</button>
                </div>
            })}
        </div>
    }
}

/// What an exchange costs.
fn dropped(waiting: u32) -> Option<String> {
    match waiting {
        0 => None,
        1 => Some("1 line that still waits to be sent is dropped. ".to_owned()),
        n => Some(format!("{n} lines that still wait to be sent are dropped. ")),
    }
}

fn name(passport: &Passport) -> String {
    let nick = if passport.nick.is_empty() { DEFAULT_NICK.to_owned() } else { neutralise(&passport.nick, false) };
    format!("{nick} (…{})", short_id(&passport.peer_id()))
}

/// The text of a file that somebody picked.
async fn text(file: &File) -> Result<String, String> {
    if file.size() > MAX_FILE_BYTES as f64 {
        return Err("this file is no Tincan identity: it is too large".to_owned());
    }
    let text = JsFuture::from(file.text()).await.map_err(|_| "the browser cannot read this file")?;
    text.as_string().ok_or_else(|| "this file is no Tincan identity: it is no text".to_owned())
}

/// Hands the browser a text to save.
fn download(name: &str, text: &str) -> Result<(), JsValue> {
    let link = document().create_element("a")?.unchecked_into::<HtmlElement>();
    link.set_attribute("download", name)?;
    link.set_attribute("href", &format!("data:application/json,{}", routing::encode(text)))?;
    link.click();
    Ok(())
}
