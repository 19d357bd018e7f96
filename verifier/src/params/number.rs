//! Numbers: only those that every reader takes for the same value.
//!
//! RFC 8785 prints a number as ECMAScript does after rounding it to a double, so two texts with
//! different values can get one digest. Refusing every number whose value the rounding changes
//! leaves one value for each digest: `1.0`, `1e2` and `0.10` pass, `9007199254740993` does not.

use super::json::{INT_MAX, Json};
use super::json_error::Kind;

/// A number as it is written, without the zeros that do not change its value:
/// `significand` × 10^`power`, and the significand does not end in a zero.
struct Written {
    negative: bool,
    significand: u64,
    power: i64,
}

/// Reads one number, which must be the whole text.
pub(super) fn read(text: &str) -> Result<Json, Kind> {
    let written = Written::read(text)?;
    if written.significand == 0 {
        // Also for "-0", which RFC 8785 prints as 0.
        return Ok(Json::Int(0));
    }
    if written.power >= 0 { written.integer() } else { written.decimal() }
}

impl Written {
    fn read(text: &str) -> Result<Self, Kind> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = split_point(mantissa)?;
        let (significand, zeros) = significand(whole.bytes().chain(fraction.bytes()))?;
        let places = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
        let power = exponent.saturating_sub(places).saturating_add(zeros);
        Ok(Self { negative, significand, power })
    }

    fn integer(&self) -> Result<Json, Kind> {
        let value = u32::try_from(self.power)
            .ok()
            .and_then(|power| 10_u64.checked_pow(power))
            .and_then(|factor| self.significand.checked_mul(factor))
            .and_then(|value| i64::try_from(value).ok())
            .filter(|value| *value <= INT_MAX)
            .ok_or(Kind::NumberOutOfRange)?;
        Ok(Json::Int(if self.negative { value.saturating_neg() } else { value }))
    }

    /// The text that ECMAScript prints, if it has the value that was written.
    fn decimal(&self) -> Result<Json, Kind> {
        let digits = self.significand.to_string();
        let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
        let point = self.power.saturating_add(length);
        let written = scientific(&digits, point);
        let double: f64 = written.parse().map_err(|_error| Kind::BadNumber)?;
        if printed(double)? != (self.significand, self.power) {
            return Err(Kind::NumberNotKept);
        }
        let sign = if self.negative { "-" } else { "" };
        let text = if (-5..=0).contains(&point) {
            let zeros = "0".repeat(usize::try_from(point.saturating_neg()).unwrap_or(0));
            format!("{sign}0.{zeros}{digits}")
        } else {
            match usize::try_from(point).ok().and_then(|point| digits.split_at_checked(point)) {
                Some((whole, fraction)) => format!("{sign}{whole}.{fraction}"),
                None => format!("{sign}{written}"),
            }
        };
        Ok(Json::Decimal(text.into()))
    }
}

/// The value 0.`digits` × 10^`point` with one digit before its point, as `{:e}` writes it.
fn scientific(digits: &str, point: i64) -> String {
    let exponent = point.saturating_sub(1);
    match digits.split_at_checked(1) {
        Some((first, rest)) if !rest.is_empty() => format!("{first}.{rest}e{exponent}"),
        _ => format!("{digits}e{exponent}"),
    }
}

/// The significand and the power of ten that ECMAScript prints for a double above zero: the fewest
/// digits that read back as the same double and, of those, the nearest to it.
fn printed(double: f64) -> Result<(u64, i64), Kind> {
    // `{:e}` finds the same digits, but for a double halfway between two texts, of which it takes
    // the upper one and ECMAScript the even one.
    let Written { significand, power, .. } = Written::read(&format!("{double:e}"))?;
    if significand.is_multiple_of(2) {
        return Ok((significand, power));
    }
    let even = [significand.saturating_sub(1), significand.saturating_add(1)]
        .into_iter()
        .find(|even| is_halfway(double, significand.saturating_add(*even), power))
        // Below a power of two doubles are closer, and the even text may be that of another.
        .filter(|even| format!("{even}e{power}").parse() == Ok(double));
    Ok((even.unwrap_or(significand), power))
}

/// Whether a double is exactly `sum` × 10^`power` ÷ 2. The sum is odd and the power not above zero.
///
/// That is `sum` ÷ 5^(−`power`) times 2^(`power` − 1), so with the double as an odd number times a
/// power of two, the powers have to be the same, and so have the odd numbers.
fn is_halfway(double: f64, sum: u64, power: i64) -> bool {
    let (odd, binary_power) = odd_times_power_of_two(double);
    u32::try_from(power.saturating_neg())
        .ok()
        .and_then(|fives| 5_u64.checked_pow(fives))
        .and_then(|fives| odd.checked_mul(fives))
        .is_some_and(|odd| odd == sum && binary_power == power.saturating_sub(1))
}

/// A double above zero, taken apart.
fn odd_times_power_of_two(double: f64) -> (u64, i64) {
    const FRACTION_BITS: u32 = 52;
    let bits = double.to_bits();
    let fraction = bits & ((1 << FRACTION_BITS) - 1);
    let exponent = i64::try_from(bits >> FRACTION_BITS).unwrap_or(i64::MAX);
    // The smallest doubles have no leading one that is left unwritten.
    let whole = if exponent == 0 { fraction } else { fraction | (1 << FRACTION_BITS) };
    let zeros = whole.trailing_zeros();
    let power = exponent.max(1).saturating_sub(1075).saturating_add(i64::from(zeros));
    (whole.checked_shr(zeros).unwrap_or(0), power)
}

/// The digits before the point and those after it.
fn split_point(mantissa: &str) -> Result<(&str, &str), Kind> {
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) if all_digits(fraction) => (whole, fraction),
        Some(_) => return Err(Kind::BadNumber),
        None => (mantissa, ""),
    };
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if leading_zero || !all_digits(whole) { Err(Kind::BadNumber) } else { Ok((whole, fraction)) }
}

/// The exponent. One too large to count stays at the end of the range, where no number of digits
/// that fits in memory brings the value back to one that is taken.
fn read_exponent(text: &str) -> Result<i64, Kind> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if !all_digits(digits) {
        return Err(Kind::BadNumber);
    }
    let size = digits.bytes().fold(0_i64, |size, digit| {
        size.saturating_mul(10).saturating_add(i64::from(digit.saturating_sub(b'0')))
    });
    Ok(if negative { size.saturating_neg() } else { size })
}

/// The digits as one integer without the zeros at its end, and how many zeros those are.
///
/// A double never prints more than 17 digits, so what does not fit 64 bits ends the reading: a
/// megabyte of digits costs no arithmetic on large numbers.
fn significand(digits: impl Iterator<Item = u8>) -> Result<(u64, i64), Kind> {
    let mut value = 0_u64;
    let mut zeros = 0_u32;
    for digit in digits.map(|digit| digit.saturating_sub(b'0')) {
        if digit == 0 {
            zeros = if value == 0 { 0 } else { zeros.saturating_add(1) };
            continue;
        }
        value = 10_u64
            .checked_pow(zeros.saturating_add(1))
            .and_then(|factor| value.checked_mul(factor))
            .and_then(|value| value.checked_add(u64::from(digit)))
            .ok_or(Kind::NumberNotKept)?;
        zeros = 0;
    }
    Ok((value, i64::from(zeros)))
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(text: &str) -> Result<String, Kind> {
        read(text).map(|json| match json {
            Json::Int(value) => value.to_string(),
            Json::Decimal(text) => text.into(),
            _ => panic!("a number was read as something else"),
        })
    }

    #[test]
    fn the_numbers_of_the_rfc_print_as_themselves() {
        // RFC 8785, appendix B: those that are within ±(2^53−1), in the RFC's own text.
        for text in [
            "0",
            "5e-324",
            "-5e-324",
            "9007199254740991",
            "-9007199254740991",
            "0.000001",
            "1e-7",
            "333333333.3333332",
            "333333333.33333325",
            "333333333.3333333",
            "333333333.3333334",
            "333333333.33333343",
            "-0.0000033333333333333333",
            "1424953923781206.2",
        ] {
            assert_eq!(print(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn the_numbers_of_the_rfc_beyond_the_range_are_refused() {
        for text in [
            "1.7976931348623157e+308",
            "-1.7976931348623157e+308",
            "9007199254740992",
            "-9007199254740992",
            "295147905179352830000",
            "9.999999999999997e+22",
            "1e+23",
            "1.0000000000000001e+23",
            "999999999999999700000",
            "999999999999999900000",
            "1e+21",
        ] {
            assert_eq!(print(text), Err(Kind::NumberOutOfRange), "{text}");
        }
    }

    #[test]
    fn other_spellings_of_a_value_print_alike() {
        let table = [
            ("-0", "0"),
            ("-0.0", "0"),
            ("0e5", "0"),
            ("0.000e-999999999999999999999", "0"),
            ("1.0", "1"),
            ("1e2", "100"),
            ("1E+2", "100"),
            ("100e-2", "1"),
            ("0.10", "0.1"),
            ("1.50e1", "15"),
            ("-12.5e-1", "-1.25"),
            ("123e-10", "1.23e-8"),
            ("1e-06", "0.000001"),
            ("0.0000001", "1e-7"),
            ("900719925474099.1e1", "9007199254740991"),
            ("0.1e1", "1"),
            ("1e00000000000000000000000000002", "100"),
            ("10e-8", "1e-7"),
        ];
        for (text, want) in table {
            assert_eq!(print(text).as_deref(), Ok(want), "{text}");
        }
    }

    #[test]
    fn a_number_that_the_canonical_text_would_change_is_refused() {
        for text in [
            "333333333.33333329",
            "0.1000000000000000055511151231257827",
            "1e-400",
            "4.9e-324",
            "2e-324",
            "9007199254740990.5",
            "4503599627370497.25",
            "0.30000000000000000001",
            "0.30000000000000000001",
            "1e-999999999999999999999",
            "1.7976931348623157001",
        ] {
            assert_eq!(print(text), Err(Kind::NumberNotKept), "{text}");
        }
        for text in ["9007199254740993", "1e400", "-1e999999999999999999999", "1e16", "1e20"] {
            assert_eq!(print(text), Err(Kind::NumberOutOfRange), "{text}");
        }
    }

    #[test]
    fn of_two_texts_that_are_equally_near_the_even_one_is_canonical() {
        // Halfway stand 1424953923781206.25, 1 + 2^-17, 2^47 + 0.125 and 2^47 + 0.375.
        let table = [
            ("1424953923781206.2", "1424953923781206.3"),
            ("1.0000076293945312", "1.0000076293945313"),
            ("140737488355328.12", "140737488355328.13"),
            ("140737488355328.38", "140737488355328.37"),
        ];
        for (even, odd) in table {
            assert_eq!(print(even).as_deref(), Ok(even));
            assert_eq!(print(odd), Err(Kind::NumberNotKept), "{odd}");
        }
    }

    #[test]
    fn the_odd_text_is_canonical_where_the_even_one_is_that_of_another_double() {
        // Halfway stands 2^-24, the first of which is the text. The other reads back as its
        // neighbour: below a power of two doubles are closer.
        for text in ["5.960464477539063e-8", "5.960464477539062e-8"] {
            assert_eq!(print(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_the_grammar_does_not_have_is_refused() {
        for text in [
            "", "-", "+1", "01", "-01", "00", "1.", ".5", "-.5", "1.e5", "1e", "1e+", "1e-",
            "1e1.5", "1e1e1", "1.2.3", "--1", "1-2", "1e+-2", "0x1", "1_0", "١", "Infinity", "NaN",
            "1 ",
        ] {
            assert_eq!(print(text), Err(Kind::BadNumber), "{text}");
        }
    }

    #[test]
    fn a_decimal_moves_its_zeros_to_any_end_without_changing() {
        let zeros = "0".repeat(5000);
        assert_eq!(print(&format!("0.{zeros}15e5001")).as_deref(), Ok("1.5"));
        assert_eq!(print(&format!("15{zeros}e-5001")).as_deref(), Ok("1.5"));
        assert_eq!(print(&format!("1.5{zeros}")).as_deref(), Ok("1.5"));
        assert_eq!(print(&format!("1.5{zeros}1")), Err(Kind::NumberNotKept));
    }
}
