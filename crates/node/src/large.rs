//! Values that are too large for a history or an answer: artifacts by themselves, and references to them.

use crate::node::Node;
use consort_artifacts::{Artifacts, Label};
use consort_engine::{INLINE_BYTES_MAX, Reference};
use consort_types::Json;

/// The most bytes of one value (contract, section 5).
const VALUE_BYTES_MAX: u64 = 64 << 20;

/// Why a large value cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LargeError {
    /// The artifact is gone, or the disk refuses.
    #[error("a large value cannot be read: {0}")]
    Artifact(#[from] consort_artifacts::Error),
    /// The artifact, or what should be a reference to it, is not what was written.
    #[error("a large value is damaged: {0}")]
    Damaged(#[from] serde_json::Error),
}

/// What an artifact with a value is called.
pub(crate) fn label() -> Label {
    Label { name: "value.json".to_owned(), media_type: "application/json".to_owned() }
}

/// Reads a value that a history only refers to.
pub(crate) fn read(artifacts: &Artifacts, reference: Reference) -> Result<Json, LargeError> {
    let bytes = artifacts.read_whole(&reference.artifact, VALUE_BYTES_MAX)?;
    Ok(Json::from_slice(&bytes)?)
}

impl Node {
    /// The value as answers show it: itself, or a reference to an artifact when it is large. The input of a
    /// step stands in no history; it is stored when somebody looks. Blocks on the disk.
    pub(crate) fn shown(&self, value: Json) -> Json {
        if value.len() <= INLINE_BYTES_MAX {
            return value;
        }
        match self.artifacts.put_whole(value.text().as_bytes(), &label()) {
            Ok(_) => Json::of(&Reference::to(&value)),
            Err(error) => {
                tracing::warn!(%error, "a large value could not be stored for those who look");
                Json::null()
            }
        }
    }
}
