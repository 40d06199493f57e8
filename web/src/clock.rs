//! This device's clock, and times as people read them here.

use js_sys::Date;
use wasm_bindgen::JsValue;

/// Unix time in milliseconds.
pub(crate) fn now_ms() -> u64 {
    Date::now() as u64
}

/// Hours and minutes.
pub(crate) fn time(unix_ms: u64) -> String {
    let date = local(unix_ms);
    format!("{:02}:{:02}", date.get_hours(), date.get_minutes())
}

/// Date and time in full.
pub(crate) fn full(unix_ms: u64) -> String {
    local(unix_ms).to_locale_string("default", &JsValue::UNDEFINED).into()
}

/// A day for a heading.
pub(crate) fn date(unix_ms: u64) -> String {
    local(unix_ms).to_date_string().into()
}

/// Numbers the local days: equal for times of one day.
pub(crate) fn day(unix_ms: u64) -> i64 {
    let date = local(unix_ms);
    (i64::from(date.get_full_year()) * 12 + i64::from(date.get_month())) * 31 + i64::from(date.get_date())
}

/// A round-trip time.
pub(crate) fn rtt(microseconds: u64) -> String {
    match microseconds {
        0..1_000 => "<1 ms".into(),
        us => format!("{} ms", us / 1_000),
    }
}

/// For `datetime` attributes.
pub(crate) fn machine(unix_ms: u64) -> String {
    // Peers choose their times, and JavaScript throws on those beyond its calendar.
    let date = local(unix_ms);
    if date.get_time().is_nan() { String::new() } else { date.to_iso_string().into() }
}

fn local(unix_ms: u64) -> Date {
    Date::new(&JsValue::from_f64(unix_ms as f64))
}
