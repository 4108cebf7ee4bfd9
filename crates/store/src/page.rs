//! Lists, a page at a time, by keyset: a page begins where the last one ended, whatever was inserted since.

use crate::Error;
use consort_types::{Name, NameKind, RunId, Timestamp};

/// The most items of one page; a larger wish is answered with this many.
pub const LIMIT_MAX: usize = 500;

/// The most bytes of documents in one page, so that a list of large runs fits into memory. A page that
/// reaches it ends early, with a cursor; it has at least one item.
pub const PAGE_BYTES_MAX: usize = 16 << 20;

/// Which page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    limit: usize,
    cursor: Option<String>,
}

impl PageRequest {
    /// The first page, of at most `limit` items (1 to [`LIMIT_MAX`]; anything else is put to the nearest).
    pub fn first(limit: usize) -> Self {
        Self { limit: limit.clamp(1, LIMIT_MAX), cursor: None }
    }

    /// The page that begins at a cursor; the first without one.
    pub fn at(limit: usize, cursor: Option<String>) -> Self {
        Self { cursor, ..Self::first(limit) }
    }

    /// The most items.
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Reads the cursor as a place in the list that a store is about to read.
    ///
    /// # Errors
    /// [`Error::BadCursor`] when it is a place in another kind of list, or none.
    pub fn place<C: Cursor>(&self) -> Result<Option<C>, Error> {
        self.cursor.as_deref().map(|text| C::decode(text).ok_or(Error::BadCursor)).transpose()
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; none when there is nothing more. Filtered lists may give a short or
    /// empty page with a cursor.
    pub next_cursor: Option<String>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { items: Vec::new(), next_cursor: None }
    }
}

impl<T> Page<T> {
    /// Makes a page of up to `limit + 1` items that were read: the one too many only says that more follows.
    pub fn cut<C: Cursor>(mut items: Vec<T>, limit: usize, place: impl Fn(&T) -> C) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|last| place(last).encode());
        Self { items, next_cursor }
    }
}

/// A place in a list, after which a page begins. Its text has one spelling and tells the kind of its list.
pub trait Cursor: Sized {
    /// The text that a caller brings back.
    fn encode(&self) -> String;
    /// Reads such a text.
    fn decode(text: &str) -> Option<Self>;
}

/// In lists of runs.
impl Cursor for (Timestamp, RunId) {
    fn encode(&self) -> String {
        let (created_at, run) = self;
        format!("r{:016x}{}", created_at.as_millis(), run.as_uuid().simple())
    }

    fn decode(text: &str) -> Option<Self> {
        let (at, run) = text.strip_prefix('r').filter(|text| text.is_ascii())?.split_at_checked(16)?;
        let at = u64::from_str_radix(at, 16).ok()?.cast_signed();
        let place = (Timestamp::from_millis(at), format!("run_{run}").parse().ok()?);
        (place.encode() == text).then_some(place)
    }
}

/// In lists by name.
impl Cursor for Name {
    fn encode(&self) -> String {
        format!("n{self}")
    }

    fn decode(text: &str) -> Option<Self> {
        Self::new(text.strip_prefix('n')?, NameKind::Kebab).ok()
    }
}

/// In lists of revisions.
impl Cursor for u64 {
    fn encode(&self) -> String {
        format!("v{self}")
    }

    fn decode(text: &str) -> Option<Self> {
        let number = text.strip_prefix('v')?.parse().ok()?;
        (Self::encode(&number) == text).then_some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_what_it_wrote_and_nothing_else() {
        let place = (Timestamp::from_millis(-5), format!("run_{:032x}", 9).parse().unwrap());
        assert_eq!(<(Timestamp, RunId)>::decode(&place.encode()), Some(place));
        assert_eq!(u64::decode(&7_u64.encode()), Some(7));
        let name = Name::new("lending", NameKind::Kebab).unwrap();
        assert_eq!(Name::decode(&name.encode()), Some(name));
        for bad in ["", "r", "v", "n", "v07", "v-1", "nÄ", "r00", "rüüüüüüüüüüüüüüüü", &place.encode()[..40]]
        {
            assert_eq!(<(Timestamp, RunId)>::decode(bad), None, "{bad}");
            assert_eq!(u64::decode(bad), None, "{bad}");
            assert_eq!(Name::decode(bad), None, "{bad}");
        }
    }
}
