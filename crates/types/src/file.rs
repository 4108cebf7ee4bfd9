//! The `file` type: bytes stay outside of JSON.

use crate::Digest;
use serde::{Deserialize, Serialize};

/// A value of type `file`: where the bytes are and what they are; never the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileValue {
    /// Content address, `sha256:…`.
    pub artifact: Digest,
    /// File name without folders.
    pub name: String,
    /// Media type.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Size in bytes.
    pub size: u64,
    /// Where a service fetches the bytes.
    pub url: String,
}
