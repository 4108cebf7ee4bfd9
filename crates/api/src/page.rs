//! Lists, a page at a time.

use crate::{codes, problem::Refusal};
use consort_wire::{LIMIT_DEFAULT, LIMIT_MAX, Page};

/// The number of items of a page.
///
/// # Errors
/// When it is none of 1 to 500.
pub fn limit(asked: Option<u32>) -> Result<usize, Refusal> {
    let limit = asked.unwrap_or(LIMIT_DEFAULT);
    if (1..=LIMIT_MAX).contains(&limit) {
        Ok(limit as usize)
    } else {
        Err(Refusal::new(codes::E_QUERY, format!("limit: 1 to {LIMIT_MAX}, not {limit}")))
    }
}

/// The place in a list that is counted: `o` and a number.
///
/// # Errors
/// When the cursor is of another kind.
pub fn offset(cursor: Option<&str>) -> Result<u64, Refusal> {
    let Some(cursor) = cursor else { return Ok(0) };
    let number = cursor.strip_prefix('o').and_then(|number| number.parse().ok());
    // One spelling only, so that a cursor can be compared.
    number.filter(|number| offset_cursor(*number) == cursor).ok_or_else(bad_cursor)
}

/// The cursor of a place in a list that is counted.
pub fn offset_cursor(offset: u64) -> String {
    format!("o{offset}")
}

/// What a cursor of another list, or none at all, is answered with.
pub fn bad_cursor() -> Refusal {
    Refusal::new(codes::E_CURSOR, "the cursor is not one that this list gave out: start again without it")
}

/// One page of a list that is at hand as a whole.
///
/// # Errors
/// When limit or cursor do not fit.
pub fn slice<T>(items: Vec<T>, asked: Option<u32>, cursor: Option<&str>) -> Result<Page<T>, Refusal> {
    let (limit, offset) = (limit(asked)?, offset(cursor)?);
    let skip = usize::try_from(offset).unwrap_or(usize::MAX);
    let more = items.len() > skip.saturating_add(limit);
    let items = items.into_iter().skip(skip).take(limit).collect();
    Ok(Page { items, next_cursor: more.then(|| offset_cursor(offset + limit as u64)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let all: Vec<u32> = (0..7).collect();
        let first = slice(all.clone(), Some(3), None).unwrap();
        assert_eq!((first.items, first.next_cursor.as_deref()), (vec![0, 1, 2], Some("o3")));
        let last = slice(all.clone(), Some(4), Some("o3")).unwrap();
        assert_eq!((last.items, last.next_cursor), (vec![3, 4, 5, 6], None));
        assert!(slice(all, Some(500), Some("o18446744073709551615")).unwrap().items.is_empty());
    }

    #[test]
    fn what_no_page_gave_out_is_refused() {
        for bad in ["", "3", "o", "o-1", "o03", "n3", "o99999999999999999999"] {
            assert!(offset(Some(bad)).is_err(), "{bad}");
        }
        assert!(limit(Some(0)).is_err() && limit(Some(501)).is_err());
    }
}
