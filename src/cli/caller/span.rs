//! A span of time as people say it: 90s, 15m, 12h, 30d.

use farebox_verifier::{Clock as _, SystemClock, UnixSeconds};

use crate::cli::argument::{self, ValueError};

/// The seconds of a span.
pub(super) fn seconds(text: &str) -> Result<u64, ValueError> {
    let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let found = units.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, seconds)));
    let span =
        found.and_then(|(number, seconds)| number.parse::<u64>().ok()?.checked_mul(*seconds));
    span.ok_or(ValueError::Form { form: "a span of time such as 90s, 15m, 12h or 30d" })
}

/// An end: a date, or a span from now.
pub(super) fn end(text: &str) -> Result<UnixSeconds, ValueError> {
    if let Ok(date) = argument::date(text) {
        return Ok(date);
    }
    let form = "a date such as 2027-01-31T00:00:00Z, or a span of time such as 12h or 30d";
    let span = seconds(text).or(Err(ValueError::Form { form }))?;
    Ok(SystemClock.now().plus(span))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_a_number_and_a_unit() {
        for (text, want) in
            [("0s", 0), ("90s", 90), ("15m", 900), ("12h", 43_200), ("30d", 2_592_000)]
        {
            assert_eq!(seconds(text).unwrap(), want);
        }
        for text in [
            "",
            "s",
            "15",
            "-1d",
            "1.5h",
            "1w",
            "1d2h",
            "99999999999999999999d",
            "300000000000000000d",
        ] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
