//! The store in memory: the whole contract but its durability. For tests, and for trying things out.
