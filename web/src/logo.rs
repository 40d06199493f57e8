//! Two tins and a string.

use leptos::prelude::*;

/// The picture, drawn in the colours of its surroundings.
#[component]
pub(crate) fn Tins() -> impl IntoView {
    view! {
        <svg class="tins" viewBox="0 0 160 64" width="160" height="64" aria-hidden="true">
            <g class="tin">
                <path d="M14 16H42c4 0 4 32 0 32H14" />
                <path d="M31 16c4 0 4 32 0 32" />
                <ellipse cx="14" cy="32" rx="5" ry="16" />
            </g>
            <g class="tin" transform="translate(160 0) scale(-1 1)">
                <path d="M14 16H42c4 0 4 32 0 32H14" />
                <path d="M31 16c4 0 4 32 0 32" />
                <ellipse cx="14" cy="32" rx="5" ry="16" />
            </g>
            <path class="string" d="M45 32Q80 50 115 32" />
        </svg>
    }
}
