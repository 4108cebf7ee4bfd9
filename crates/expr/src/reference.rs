//! What an expression names.

/// One place where an expression reads a name of the scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The name.
    pub root: String,
    /// The constant fields behind it, as far as they go: `a.b[0].c` reads `b` of `a`, then something.
    pub path: Vec<String>,
    /// Where the name stands, in bytes from the start of the source.
    pub offset: usize,
}
