//! What happens, as it happens: the events of `GET /feed`.

use crate::{LogLine, Run, Service, Step};
use consort_types::RunId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One event of the feed. Its name is the SSE event's name, its content the SSE event's data.
///
/// Each carries the whole new state of its thing, so that a reader who missed some needs only the newest.
/// Inputs and outputs that are large are left out (null); they are read at their own routes.
#[derive(Debug, Clone, PartialEq)]
pub enum FeedEvent {
    /// A run changed.
    Run(Box<Run>),
    /// A step of a run changed.
    Step(Box<RunStep>),
    /// A service changed.
    Service(Box<Service>),
    /// A line was written by an attempt.
    Log(RunLog),
}

/// Why an event of the feed could not be read.
#[derive(Debug)]
pub enum FeedError {
    /// An event of a newer server; to be passed over.
    Unknown(String),
    /// The data is not what the event's name promises.
    Malformed(serde_json::Error),
}

impl std::fmt::Display for FeedError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown(name) => {
                write!(f, "the feed sent an event {name:?} that this version does not know")
            }
            Self::Malformed(error) => write!(f, "the feed sent an event that cannot be read: {error}"),
        }
    }
}

impl std::error::Error for FeedError {}

impl FeedEvent {
    /// The names of all events.
    pub const NAMES: &[&str] = &["run", "step", "service", "log"];

    /// The name of the SSE event.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Step(_) => "step",
            Self::Service(_) => "service",
            Self::Log(_) => "log",
        }
    }

    /// The data of the SSE event: one line of JSON.
    pub fn data(&self) -> String {
        let json = match self {
            Self::Run(run) => serde_json::to_string(run),
            Self::Step(step) => serde_json::to_string(step),
            Self::Service(service) => serde_json::to_string(service),
            Self::Log(log) => serde_json::to_string(log),
        };
        json.expect("our own types serialize")
    }

    /// Reads an event by its name and data.
    ///
    /// # Errors
    /// When the name is unknown or the data does not fit it.
    pub fn parse(name: &str, data: &str) -> Result<Self, FeedError> {
        match name {
            "run" => serde_json::from_str(data).map(Self::Run),
            "step" => read_step(data).map(Self::Step),
            "service" => serde_json::from_str(data).map(Self::Service),
            "log" => serde_json::from_str(data).map(Self::Log),
            _ => return Err(FeedError::Unknown(name.to_owned())),
        }
        .map_err(FeedError::Malformed)
    }
}

/// A step and the run that it belongs to, side by side in one object.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RunStep {
    /// The run.
    #[schema(value_type = String)]
    pub run: RunId,
    /// The step.
    #[serde(flatten)]
    pub step: Step,
}

/// serde's `flatten` buffers values and so cannot read raw JSON; two passes over the text can.
fn read_step(data: &str) -> Result<Box<RunStep>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Of {
        run: RunId,
    }
    let Of { run } = serde_json::from_str(data)?;
    Ok(Box::new(RunStep { run, step: serde_json::from_str(data)? }))
}

/// A line and the run that it belongs to, side by side in one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunLog {
    /// The run.
    #[schema(value_type = String)]
    pub run: RunId,
    /// The line.
    #[serde(flatten)]
    pub line: LogLine,
}
