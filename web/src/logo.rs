//! Two tins and a string.

use leptos::prelude::*;

/// The picture, drawn in the colours of its surroundings.
#[component]
pub(crate) fn Tins() -> impl IntoView {
    view! {
        <svg class="tins" viewBox="0 0 216 64" width="216" height="64" aria-hidden="true">
            <g class="tin" transform="rotate(-6 34 32)">
                <path d="M14 14H54c5 0 5 36 0 36H14" />
                <path d="M28 14c5 0 5 36 0 36M41 14c5 0 5 36 0 36" />
                <ellipse cx="14" cy="32" rx="6" ry="18" />
            </g>
            <g class="tin" transform="translate(216 0) scale(-1 1) rotate(-6 34 32)">
                <path d="M14 14H54c5 0 5 36 0 36H14" />
                <path d="M28 14c5 0 5 36 0 36M41 14c5 0 5 36 0 36" />
                <ellipse cx="14" cy="32" rx="6" ry="18" />
            </g>
            <path class="string" d="M58 29.5Q108 62 158 29.5" />
        </svg>
    }
}
