//! One binary for all rules: they share the answers of cargo and git, and link once.

mod committed;
mod direction;
mod error_codes;
mod length;
mod licences;
mod links;
mod purity;
mod repository;
mod vendors;
