//! This device's clock, and times and days as this device writes them: in its language and time zone.

use std::{cell::RefCell, collections::BTreeMap};

use js_sys::{Array, Date, Function, Intl::DateTimeFormat, Object, Reflect};
use wasm_bindgen::JsValue;

/// Days that are remembered: as many as a room's lines can be of.
const MAX_DAYS: usize = 512;

thread_local! {
    /// Known local days: when each begins, when it ends, and its number.
    static DAYS: RefCell<BTreeMap<u64, (u64, i64)>> = const { RefCell::new(BTreeMap::new()) };
    // Making one costs the browser more than all that it formats later.
    // As its language has it: with or without a leading zero.
    static TIME: Function = formatter(&[("timeStyle", "short")]);
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

/// Numbers the local days: equal for times of one day. Asking the browser costs more than all else that makes a row, so
/// each day is asked for once.
pub(crate) fn day(unix_ms: u64) -> i64 {
    DAYS.with_borrow_mut(|days| {
        if let Some((_, (_, day))) = days.range(..=unix_ms).next_back().filter(|(_, (end, _))| unix_ms < *end) {
            return *day;
        }
        let date = local(unix_ms);
        let day = number(&date);
        if let Some((start, end)) = bounds(&date) {
            if days.len() >= MAX_DAYS {
                days.clear();
            }
            days.insert(start, (end, day));
        }
        day
    })
}

/// When the local day of a time begins and ends; nothing beyond the calendar. Not every day has 24 hours.
fn bounds(date: &Date) -> Option<(u64, u64)> {
    let midnight = |days: i32| {
        let (month, day) = (date.get_month().cast_signed(), date.get_date().cast_signed() + days);
        Date::new_with_year_month_day(date.get_full_year(), month, day).get_time()
    };
    let (start, end) = (midnight(0), midnight(1));
    (start >= 0.0 && end > start).then_some((start as u64, end as u64))
}

fn number(date: &Date) -> i64 {
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
    fn a_day_that_is_remembered_is_the_one_that_the_browser_has() {
        let hour = 3_600_000;
        // Over a year, days on which clocks are put forward and back are among them.
        for time in (0..366 * 24).map(|n| 1_767_225_600_000 + n * hour) {
            assert_eq!(day(time), number(&local(time)), "{time}");
        }
        assert_eq!(day(u64::MAX), number(&local(u64::MAX)));
    }

    #[test]
    fn times_beyond_the_calendar_are_written_as_nothing() {
        for write in [time, full, date, machine] {
            assert_eq!(write(u64::MAX), "");
            assert!(!write(1_700_000_000_000).is_empty());
        }
    }
}
