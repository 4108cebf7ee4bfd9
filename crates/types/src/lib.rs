//! The shared words of Consort: ids, names, values, durations, quantities, time, errors, states.
//!
//! This crate holds plain data and the parsing of it. It must never know files, sockets, clocks,
//! randomness, or what an engine or a store does with its words. Start reading at [`Json`] (what every
//! payload is) and [`RunError`] (what every failure is).

mod amount;
mod duration;
mod error;
mod file;
mod id;
mod json;
mod name;
mod pattern;
mod placing;
mod priority;
mod quantity;
mod state;
mod time;
mod waiting;

pub use amount::{Amount, AmountError};
pub use duration::{DurationError, format_duration, parse_duration};
pub use error::{ErrorKind, FieldError, RunError};
pub use file::FileValue;
pub use id::{AttemptToken, Digest, Digester, EventKey, IdError, RunId};
pub use json::Json;
pub use name::{Name, NameError, NameKind, RESERVED_STEP_NAMES};
pub use pattern::TypePattern;
pub use placing::{BodyPlace, EmptyBody, Places, Placing, QueryField, QueryStyle};
pub use priority::{AGEING, Rank};
pub use quantity::{QuantityError, format_bytes, parse_bytes, parse_cpu};
pub use state::{AttemptState, RunState, StepState, UndoState};
pub use time::{Timestamp, TimestampError};
pub use waiting::{WaitKind, WaitingOn};
