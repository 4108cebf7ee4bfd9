//! The one binary, `consort`.

fn main() {}
