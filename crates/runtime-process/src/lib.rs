//! Replicas, setups and `exec` calls as processes of this machine.
//!
//! Nothing that is started here outlives the server, however it dies: each process runs under a *shim*, a
//! small supervisor (this binary, called as `consort __replica`) that holds one end of a socket whose other
//! end is the server. When that end closes, the shim kills the whole tree under it.
//!
//! This crate must never know workflows, scaling or restarts: it starts what it is told and says what it
//! sees. Start reading at [`ProcessRuntime`], then `replica.rs` (the life of one replica) and `shim.rs`.

mod cgroup;
mod environment;
mod exec;
mod health;
mod lines;
mod logs;
mod ports;
mod process;
mod replica;
mod revision;
mod runtime;
mod shim;
mod source;

pub use environment::{EnvFileError, parse_env_file};
pub use logs::{LogLimits, read_log};
pub use runtime::{Config, ProcessRuntime};
pub use shim::{SHIM_ARG, shim_main};
pub use source::{Sources, pack, unpack};
