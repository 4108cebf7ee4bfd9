//! One file per command; the folders mirror what users type.

pub mod apply;
pub mod artifacts;
pub mod backup;
pub mod bench;
pub mod check;
pub mod completions;
pub mod dev;
pub mod doctor;
pub mod events;
pub mod incidents;
pub mod init;
pub mod pools;
pub mod restore;
pub mod run;
pub mod runs;
pub mod schema;
pub mod server;
pub mod services;
pub mod workflows;
