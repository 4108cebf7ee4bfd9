//! The tree of a parsed expression.
//!
//! Chains (`a.b.c`, `a + b + c`, `a && b && c`) are lists, not towers of nodes: a text of 4 KiB can hold
//! thousands of links, and every walk of the tree is recursive. What remains recursive is bounded by
//! [`NESTING_MAX`](crate::NESTING_MAX).

use crate::functions::Function;
use std::sync::Arc;

/// Where a node stands, in bytes of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub fn new(start: usize, end: usize) -> Self {
        // A source is at most 4 KiB.
        Self { start: start as u32, end: end as u32 }
    }
}

/// Number of a link or segment, for what a check found out about it (see `Notes`).
pub(crate) type NoteId = u32;

#[derive(Debug)]
pub(crate) struct Node {
    pub span: Span,
    pub kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Arc<str>),
    /// What `type(x)` is compared with.
    TypeName(&'static str),
    OptionalNone,
    Path(Path),
    /// `has(a.b)`: the path ends in the field that is asked for.
    Has(Path),
    /// `default(x, y)`.
    Default(Box<Node>, Box<Node>),
    List(Vec<Element>),
    Map(Vec<Entry>),
    Not(Box<Node>),
    Negate(Box<Node>),
    /// `a + b - c`, `a == b`: operators of one precedence, from left to right.
    Chain(Box<Node>, Vec<Link>),
    /// `a && b && c`
    All(Vec<Node>),
    /// `a || b || c`
    Any(Vec<Node>),
    Conditional(Box<[Node; 3]>),
}

/// Whether what is asked for must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    /// `.?a`, `[?a]`, `[?x]` in a list, `{?k: x}` in a map.
    Optional,
}

#[derive(Debug)]
pub(crate) struct Element {
    pub presence: Presence,
    pub value: Node,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub presence: Presence,
    pub key: Node,
    pub value: Node,
}

#[derive(Debug)]
pub(crate) struct Link {
    pub operator: Operator,
    pub note: NoteId,
    pub right: Node,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
}

impl Operator {
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::In => "in",
        }
    }
}

/// A root and what is read from it, step by step.
#[derive(Debug)]
pub(crate) struct Path {
    pub root: Root,
    pub root_span: Span,
    pub segments: Vec<Segment>,
}

impl Path {
    /// How many segments from the root on are plain fields: the part that names a place in the input.
    pub fn constant_len(&self) -> usize {
        self.segments
            .iter()
            .take_while(|s| matches!(s.kind, SegmentKind::Field(_, Presence::Required)))
            .count()
    }
}

#[derive(Debug)]
pub(crate) enum Root {
    /// A name of the scope; its number in `Expr::references`.
    Free(Arc<str>, usize),
    /// A variable of a macro: its place from the outermost on.
    Local(usize),
    Value(Box<Node>),
}

#[derive(Debug)]
pub(crate) struct Segment {
    pub span: Span,
    pub note: NoteId,
    pub kind: SegmentKind,
}

#[derive(Debug)]
pub(crate) enum SegmentKind {
    Field(Arc<str>, Presence),
    Index(Node, Presence),
    /// What stands to the left is the first argument, also of `f(x, y)`.
    Call(Call),
    Macro(Macro),
}

#[derive(Debug)]
pub(crate) struct Call {
    pub function: Function,
    /// The arguments after the first.
    pub rest: Vec<Node>,
    /// The compiled pattern of `matches` when it is written down.
    pub regex: Option<regex::Regex>,
}

#[derive(Debug)]
pub(crate) struct Macro {
    pub kind: MacroKind,
    pub body: Box<Node>,
    /// The third argument of `map(x, filter, value)`; `body` is the filter then.
    pub value: Option<Box<Node>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MacroKind {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
    SortBy,
    MaxBy,
    MinBy,
    OptMap,
}

impl MacroKind {
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "all" => Self::All,
            "exists" => Self::Exists,
            "exists_one" | "existsOne" => Self::ExistsOne,
            "map" => Self::Map,
            "filter" => Self::Filter,
            "sort_by" => Self::SortBy,
            "max_by" => Self::MaxBy,
            "min_by" => Self::MinBy,
            "optMap" => Self::OptMap,
            _ => return None,
        })
    }
}
