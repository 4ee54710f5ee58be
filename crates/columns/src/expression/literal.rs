//! Numbers and moments, exactly.

use std::fmt;

use arrow_array::timezone::Tz;
use arrow_cast::parse::string_to_datetime;

/// A value that is written in an expression.
#[derive(Clone, Debug)]
pub(super) enum Literal {
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// True or false.
    Bool(bool),
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => f.write_str(&number.text),
            Self::Text(text) => write!(f, "'{text}'"),
            Self::Bool(value) => write!(f, "{value}"),
        }
    }
}

/// A number as it is written.
#[derive(Clone, Debug)]
pub(super) struct Number {
    text: String,
    /// Where it lies among the whole numbers.
    pub(super) whole: Whole,
    /// The nearest float.
    pub(super) float: f64,
}

/// Where a number lies among the whole numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Whole {
    /// The greatest whole number that is not above it; the greatest or least of this type if it is beyond these.
    pub(super) floor: i128,
    /// Whether it is that number.
    pub(super) exact: bool,
}

impl Number {
    /// Reads digits with or without a point and an exponent, and no sign; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{before}{after}");
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let float = text.parse().ok()?;
        // So many of the significant digits stand before the point.
        let significant = digits.trim_start_matches('0');
        let leading = digits.len() - significant.len();
        let point = before.len() as i64 - leading as i64 + i64::from(exponent);
        let (whole, rest) = significant.split_at(point.clamp(0, significant.len() as i64) as usize);
        let missing = (point - whole.len() as i64).max(0);
        let floor = match whole {
            "" => 0,
            // No more than 39 digits fit; more are beyond all columns anyway.
            _ if point > 39 => i128::MAX,
            _ => format!("{whole}{:0<1$}", "", missing as usize).parse().unwrap_or(i128::MAX),
        };
        let exact = rest.bytes().all(|digit| digit == b'0');
        Some(Self { text: text.to_owned(), whole: Whole { floor, exact }, float })
    }

    /// A whole number that was worked out.
    pub(super) fn of_whole(value: i128) -> Self {
        Self { text: value.to_string(), whole: Whole { floor: value, exact: true }, float: value as f64 }
    }

    /// A number that was worked out; `None` if it is none.
    pub(super) fn of_float(value: f64) -> Option<Self> {
        let floor = value.floor();
        // The casts end at the greatest and the least of the type.
        let whole = Whole { floor: floor as i128, exact: floor == value };
        (!value.is_nan()).then(|| Self { text: value.to_string(), whole, float: value })
    }

    /// The number with the other sign.
    pub(super) fn negated(self) -> Self {
        let Whole { floor, exact } = self.whole;
        let opposite = floor.saturating_neg();
        let whole = Whole { floor: if exact { opposite } else { opposite - 1 }, exact };
        let text = self.text.strip_prefix('-').map_or_else(|| format!("-{}", self.text), str::to_owned);
        Self { text, whole, float: -self.float }
    }
}

/// Nanoseconds of a day.
pub(super) const DAY: i128 = 24 * 60 * 60 * NANOS;

/// Nanoseconds of a second.
pub(super) const NANOS: i128 = 1_000_000_000;

/// Where a moment lies among whole units of so many nanoseconds since 1970; `None` if the text is no moment. Without an offset
/// it is UTC.
pub(super) fn moment(text: &str, unit: i128) -> Option<Whole> {
    // Arrow's parser may cut other text within a letter.
    if !text.is_ascii() {
        return None;
    }
    // It wants seconds too, which many leave out.
    let seconds = if text.len() == "2026-01-31 12:30".len() { ":00" } else { "" };
    let utc: Tz = "+00:00".parse().expect("an offset is a zone");
    let moment = string_to_datetime(&utc, &format!("{text}{seconds}")).ok()?;
    let nanos = i128::from(moment.timestamp()) * NANOS + i128::from(moment.timestamp_subsec_nanos());
    Some(Whole { floor: nanos.div_euclid(unit), exact: nanos.rem_euclid(unit) == 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lie_where_they_do() {
        let cases = [
            ("0", 0, true),
            ("0.0e9", 0, true),
            ("007", 7, true),
            ("2.5", 2, false),
            ("2.50e1", 25, true),
            (".5", 0, false),
            ("5.", 5, true),
            ("1e3", 1000, true),
            ("1E+3", 1000, true),
            ("1234e-2", 12, false),
            ("1e-400", 0, false),
            ("0.001e3", 1, true),
            ("9007199254740993.5", 9_007_199_254_740_993, false),
            ("18446744073709551616", 1 << 64, true),
            ("1e39", i128::MAX, true),
            ("1e400", i128::MAX, true),
            ("1e2000000000", i128::MAX, true),
        ];
        for (text, floor, exact) in cases {
            let number = Number::parse(text).expect(text);
            assert_eq!(number.whole, Whole { floor, exact }, "{text}");
            let below = if exact { -floor } else { -floor - 1 };
            assert_eq!(number.negated().whole, Whole { floor: below, exact }, "-{text}");
        }
        for text in ["", ".", "e5", "1e", "1e99999999999", "0x10", "1_000", "１"] {
            assert!(Number::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn moments_lie_where_they_do() {
        let day = |text| moment(text, DAY).map(|whole| (whole.floor, whole.exact));
        assert_eq!(day("1970-01-02"), Some((1, true)));
        assert_eq!(day("1969-12-31T12:00"), Some((-1, false)));
        assert_eq!(day("1970-01-02 00:30:00+01:00"), Some((0, false)));
        assert_eq!(day("1970-01-02T00:00:00Z"), Some((1, true)));
        assert_eq!(day("9999-12-31"), Some((2_932_896, true)));
        for text in ["", "today", "1970-02-30", "1970-01-01 é", "1970-01-01T00:00:00é", "1970-01-0é"] {
            assert_eq!(day(text), None, "{text}");
        }
    }
}
