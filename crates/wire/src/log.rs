//! Lines that services wrote.

use consort_types::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// Consort itself: started, stopped, set up.
    System,
}

/// A line of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    /// When it was read.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Key of the step.
    pub step: String,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// Where it came from.
    pub stream: Stream,
    /// The line, without its end.
    pub line: String,
}

/// A line of a replica.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceLogLine {
    /// When it was read.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The replica; null for lines of the setup, which no replica wrote.
    pub replica: Option<String>,
    /// The revision of the service.
    pub revision: String,
    /// Where it came from.
    pub stream: Stream,
    /// The line, without its end.
    pub line: String,
}
