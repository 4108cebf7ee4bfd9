//! What a plain scalar means: YAML 1.2, section 10.3.2.

use super::Plain;

/// Reads a plain scalar. None: a number that JSON has no way to hold (`.inf`, `.nan`, out of range).
pub(super) fn resolve(text: &str) -> Option<Plain> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Plain::Null),
        "true" | "True" | "TRUE" => return Some(Plain::Boolean(true)),
        "false" | "False" | "FALSE" => return Some(Plain::Boolean(false)),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return None;
    }
    if let Some(number) = based(text, "0o", 8).or_else(|| based(text, "0x", 16)) {
        return number.map(Plain::Integer);
    }
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        // Decimal, whatever its zeros: `010` is ten. Beyond 64 bits it is a number like in JSON.
        return match text.parse() {
            Ok(integer) => Some(Plain::Integer(integer)),
            Err(_) => finite(text),
        };
    }
    if is_float(unsigned) { finite(text) } else { Some(Plain::Text) }
}

/// `0o17`, `0x1F`. The inner none: too large.
fn based(text: &str, prefix: &str, radix: u32) -> Option<Option<i64>> {
    let digits = text.strip_prefix(prefix)?;
    let fits = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    fits.then(|| i64::from_str_radix(digits, radix).ok())
}

fn finite(text: &str) -> Option<Plain> {
    text.parse().ok().filter(|number: &f64| number.is_finite()).map(Plain::Number)
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_float(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && exponent_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_yaml_1_1_are_text() {
        for word in
            ["on", "off", "yes", "no", "y", "n", "On", "1:30", "1_000", "0b1", "-", ".", "e3", "+", "1.2.3"]
        {
            assert_eq!(resolve(word), Some(Plain::Text), "{word}");
        }
    }

    #[test]
    fn numbers_are_decimal_unless_they_say_so() {
        for (text, value) in [
            ("010", Plain::Integer(10)),
            ("-7", Plain::Integer(-7)),
            ("0o17", Plain::Integer(15)),
            ("0x1F", Plain::Integer(31)),
            ("1.50", Plain::Number(1.5)),
            ("1e3", Plain::Number(1000.0)),
            (".5", Plain::Number(0.5)),
            ("5.", Plain::Number(5.0)),
            ("99999999999999999999", Plain::Number(1e20)),
        ] {
            assert_eq!(resolve(text), Some(value), "{text}");
        }
        for text in [".inf", "-.inf", ".nan", "1e999", "0xffffffffffffffffff"] {
            assert_eq!(resolve(text), None, "{text}");
        }
    }

    #[test]
    fn nothing_and_truth() {
        for text in ["", "~", "null"] {
            assert_eq!(resolve(text), Some(Plain::Null));
        }
        assert_eq!(resolve("true"), Some(Plain::Boolean(true)));
    }
}
