//! This device's clock, and times and days as this device writes them: in its language and time zone.

use js_sys::{Array, Date, Function, Intl::DateTimeFormat, Object, Reflect};
use wasm_bindgen::JsValue;

thread_local! {
    // Making one costs the browser more than all that it formats later.
    static TIME: Function = formatter(&[("hour", "2-digit"), ("minute", "2-digit")]);
    static FULL: Function = formatter(&[("dateStyle", "full"), ("timeStyle", "medium")]);
    static DAY: Function =
        formatter(&[("weekday", "long"), ("day", "numeric"), ("month", "long"), ("year", "numeric")]);
}

/// Unix time in milliseconds.
pub(crate) fn now_ms() -> u64 {
    Date::now() as u64
}

/// Hours and minutes.
pub(crate) fn time(unix_ms: u64) -> String {
    TIME.with(|format| written(format, unix_ms))
}

/// Date and time in full.
pub(crate) fn full(unix_ms: u64) -> String {
    FULL.with(|format| written(format, unix_ms))
}

/// A day for a heading.
pub(crate) fn date(unix_ms: u64) -> String {
    DAY.with(|format| written(format, unix_ms))
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
    let date = local(unix_ms);
    if date.get_time().is_nan() { String::new() } else { date.to_iso_string().into() }
}

/// Peers choose their times, and JavaScript throws on those beyond its calendar: they are written as nothing.
fn written(format: &Function, unix_ms: u64) -> String {
    let written = format.call1(&JsValue::UNDEFINED, &local(unix_ms));
    written.ok().and_then(|text| text.as_string()).unwrap_or_default()
}

/// The `format` function of an `Intl.DateTimeFormat` in this device's language.
fn formatter(options: &[(&str, &str)]) -> Function {
    let chosen = Object::new();
    for (name, value) in options {
        // An object that was just made takes any member.
        let _ = Reflect::set(&chosen, &JsValue::from_str(name), &JsValue::from_str(value));
    }
    DateTimeFormat::new(&Array::new(), &chosen).format()
}

fn local(unix_ms: u64) -> Date {
    Date::new(&JsValue::from_f64(unix_ms as f64))
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn times_beyond_the_calendar_are_written_as_nothing() {
        for write in [time, full, date, machine] {
            assert_eq!(write(u64::MAX), "");
            assert!(!write(1_700_000_000_000).is_empty());
        }
    }
}
