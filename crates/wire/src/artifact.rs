//! Immutable bytes by digest.

use consort_types::{Digest, FileValue};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What `POST /artifacts` answers: a value of type `file`, to be put into an input as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Artifact {
    /// Content address, `sha256:` and 64 hex digits.
    #[schema(value_type = String)]
    pub artifact: Digest,
    /// File name without folders.
    pub name: String,
    /// Media type.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Size in bytes.
    pub size: u64,
    /// Where the bytes are fetched.
    pub url: String,
}

impl From<FileValue> for Artifact {
    fn from(file: FileValue) -> Self {
        let FileValue { artifact, name, media_type, size, url } = file;
        Self { artifact, name, media_type, size, url }
    }
}

impl From<Artifact> for FileValue {
    fn from(artifact: Artifact) -> Self {
        let Artifact { artifact, name, media_type, size, url } = artifact;
        Self { artifact, name, media_type, size, url }
    }
}
