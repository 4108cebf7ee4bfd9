//! What a rerun takes over from the run that it does again.

use consort_types::{Digest, Json, RunId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Results of another run that a run takes instead of computing them. They stand in its first fact, so that
/// it needs the other run no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Copies {
    /// The run that they come from.
    pub from: RunId,
    /// By key of the step.
    pub steps: BTreeMap<String, Copied>,
}

/// What is taken over of one step.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Copied {
    /// Its output. None of an item of which only steps inside are taken over.
    #[serde(
        rename = "o",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::entry::present"
    )]
    pub output: Option<Json>,
    /// Of an item: what it was about. Nothing is taken over by an item that is about something else.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Digest>,
}
