//! When a schedule fires: a line of cron and a zone → the next slot after a time.
//!
//! Pure: the time comes in as an argument. This crate must never know: triggers, runs, clocks. Start reading at
//! [`Cron`].
//!
//! ```
//! use consort_calendar::{Cron, Zone};
//!
//! let cron = Cron::parse("30 9 * * MON-FRI")?;
//! let friday = "2026-11-27T12:00:00Z".parse()?;
//! let next = cron.next_after(friday, &Zone::named("Europe/Paris")?);
//! assert_eq!(next.map(|slot| slot.to_string()).as_deref(), Some("2026-11-30T08:30:00.000Z"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cron;
mod zone;

pub use cron::{Cron, CronError};
pub use zone::{Zone, ZoneError};
