//! Lists, a page at a time.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Items of one page when nothing is asked for.
pub const LIMIT_DEFAULT: u32 = 50;

/// The most items of one page: a page must fit into a response without the server streaming it.
pub const LIMIT_MAX: u32 = 500;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// The only page of a short list.
    pub const fn last(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self::last(Vec::new())
    }
}
