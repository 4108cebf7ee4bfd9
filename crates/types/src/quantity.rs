//! Sizes and shares of a machine as users write them.

/// Why a text is no quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// No unit, or a unit that is none.
    #[error("{0:?} is not a size: it needs a number and a unit (512Mi, 2Gi, 1G)")]
    Bytes(String),
    /// No positive number.
    #[error("{0:?} is not a number of CPUs (0.5, 2)")]
    Cpu(String),
}

const UNITS: &[(&str, u64)] = &[
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("K", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("B", 1),
];

/// Reads a size in bytes: `512Mi` (powers of 1024), `1G` (powers of 1000), `100B`.
///
/// # Errors
/// Without a unit, negative, or over `u64`.
pub fn parse_bytes(text: &str) -> Result<u64, QuantityError> {
    let error = || QuantityError::Bytes(text.to_owned());
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).ok_or_else(error)?;
    let (number, unit) = text.split_at(split);
    let factor = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(error)?.1;
    let bytes = number.parse::<f64>().map_err(|_| error())? * factor as f64;
    if bytes < u64::MAX as f64 { Ok(bytes.round() as u64) } else { Err(error()) }
}

/// Writes a size in bytes for people: `1.5Mi`.
pub fn format_bytes(bytes: u64) -> String {
    let unit = UNITS[..4].iter().rev().find(|(_, factor)| bytes >= *factor);
    let Some((name, factor)) = unit else { return format!("{bytes}B") };
    let number = format!("{:.1}", bytes as f64 / *factor as f64);
    format!("{}{name}", number.strip_suffix(".0").unwrap_or(&number))
}

/// Reads a number of CPUs in thousandths: `0.5` is 500.
///
/// # Errors
/// When it is not a number from 0.001 to 1,000,000.
pub fn parse_cpu(text: &str) -> Result<u64, QuantityError> {
    let number: f64 = text.parse().map_err(|_| QuantityError::Cpu(text.to_owned()))?;
    if (0.001..=1e6).contains(&number) {
        Ok((number * 1000.0).round() as u64)
    } else {
        Err(QuantityError::Cpu(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_need_a_unit() {
        assert_eq!(parse_bytes("512Mi"), Ok(536_870_912));
        assert_eq!(parse_bytes("1G"), Ok(1_000_000_000));
        assert_eq!(parse_bytes("1.5Ki"), Ok(1_536));
        for bad in ["", "512", "Mi", "-1Mi", "1mb", "1 Gi", "99999999999T"] {
            assert!(parse_bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_print_short() {
        assert_eq!(format_bytes(1_536), "1.5Ki");
        assert_eq!(format_bytes(1 << 20), "1Mi");
        assert_eq!(format_bytes(12), "12B");
    }

    #[test]
    fn cpus_are_thousandths() {
        assert_eq!(parse_cpu("0.5"), Ok(500));
        for bad in ["", "0", "-1", "NaN", "inf", "half"] {
            assert!(parse_cpu(bad).is_err(), "{bad}");
        }
    }
}
