//! A typed client of the API: one method per route, over plain HTTP.
//!
//! It follows pages, uploads files as streams and reads the live feed across broken connections. It must
//! never print, never read the environment and never decide what an answer means for a user: that is the
//! command line's. Start reading at [`Client`], then [`Live`].
//!
//! TLS is not built in: a server is reached on this machine, through a tunnel, or behind a proxy that ends
//! TLS elsewhere. An `https://` address is refused with these words.

mod artifacts;
mod error;
mod events;
mod http;
mod live;
mod pools;
mod runs;
mod server;
mod services;
mod sse;
mod workflows;

pub use error::Error;
pub use http::Client;
pub use live::{Live, LiveItem};
