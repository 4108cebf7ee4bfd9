//! Nothing but tests: the rules of the house, held against the repository itself.
//!
//! A rule that a person has to remember is broken within a month. Those that a program can check stand in
//! `tests/tidy/`, one file for each: the direction of the crates, who may use which library, purity, length
//! of files, licences, what must not be committed, and a page for each error code. Each failure says what
//! to do. It must never know what Consort does.
