//! Which bytes of an artifact, as HTTP asks for them.

/// A range of bytes (RFC 9110, section 14.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteRange {
    /// All of them.
    All,
    /// From this one to the end.
    From(u64),
    /// From the first to the last, both included; the end of the artifact ends it too.
    Between(u64, u64),
    /// The last so many.
    Last(u64),
}

impl ByteRange {
    /// The place of the first byte and the number of bytes; none when the range has no byte of the artifact.
    pub fn within(self, size: u64) -> Option<(u64, u64)> {
        match self {
            Self::All => Some((0, size)),
            Self::From(first) => (first < size).then(|| (first, size - first)),
            Self::Between(first, last) => {
                (first < size && first <= last).then(|| (first, last.min(size - 1) - first + 1))
            }
            Self::Last(count) => {
                let count = count.min(size);
                (count > 0).then(|| (size - count, count))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ByteRange::{self, All, Between, From, Last};

    #[test]
    fn a_range_is_cut_to_what_is_there() {
        type Case = (ByteRange, u64, Option<(u64, u64)>);
        let cases: [Case; 13] = [
            (All, 10, Some((0, 10))),
            (All, 0, Some((0, 0))),
            (From(0), 10, Some((0, 10))),
            (From(9), 10, Some((9, 1))),
            (From(10), 10, None),
            (Between(2, 4), 10, Some((2, 3))),
            (Between(2, u64::MAX), 10, Some((2, 8))),
            (Between(4, 2), 10, None),
            (Between(0, 0), 0, None),
            (Last(3), 10, Some((7, 3))),
            (Last(u64::MAX), 10, Some((0, 10))),
            (Last(0), 10, None),
            (Last(1), 0, None),
        ];
        for (range, size, expected) in cases {
            assert_eq!(range.within(size), expected, "{range:?} of {size}");
        }
    }
}
