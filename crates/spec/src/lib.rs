//! The project file: text → checked, typed, immutable definitions, and every problem of `consort check`.
//!
//! This crate knows files only as texts that it is handed; it must never know runs, stores or sockets.
//! Start reading at `definition`.
