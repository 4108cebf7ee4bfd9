//! Operators, literals and names. What follows a value (`.a`, `[0]`, `.f(x)`) is in `postfix`.

use super::lexer::{Lexeme, Token, tokens};
use crate::ast::{
    Element, Entry, Kind, Link, Node, NoteId, Operator, Path, Presence, Root, SegmentKind, Span,
};
use crate::functions::Function;
use crate::{NESTING_MAX, ParseError, Reference, SOURCE_LEN_MAX};
use std::sync::Arc;

/// A tree and what it names.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub root: Node,
    /// By the numbers in `Root::Free`.
    pub references: Vec<Reference>,
}

/// Reads one expression.
pub(crate) fn parse(source: &str) -> Result<Parsed, ParseError> {
    if source.len() > SOURCE_LEN_MAX {
        let message =
            format!("an expression is at most {SOURCE_LEN_MAX} bytes long, this one has {}", source.len());
        return Err(ParseError::new(0, message).hint("put parts of it into steps of their own with `value:`"));
    }
    let mut parser = Parser {
        source,
        lexemes: tokens(source)?,
        next: 0,
        depth: 0,
        locals: Vec::new(),
        references: Vec::new(),
        notes: 0,
    };
    if parser.peek() == &Token::End {
        return Err(ParseError::new(0, "the expression is empty"));
    }
    let root = parser.expression()?;
    if parser.peek() != &Token::End {
        return Err(parser.unexpected("the end of the expression"));
    }
    parser.references.retain(|reference| !reference.root.is_empty());
    Ok(Parsed { root, references: parser.references })
}

/// Words that CEL keeps for itself.
const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "package",
    "return",
    "var",
    "void",
    "while",
];

/// What `type(x)` can be compared with.
const TYPE_NAMES: &[&str] =
    &["int", "double", "string", "bool", "list", "map", "null_type", "timestamp", "duration", "type"];

/// From loosest to tightest; all bind to the left.
const LEVELS: &[&[(&str, Operator)]] = &[
    &[
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<", Operator::Less),
        ("<=", Operator::LessEqual),
        (">", Operator::Greater),
        (">=", Operator::GreaterEqual),
        ("in", Operator::In),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Modulo)],
];

pub(super) struct Parser<'a> {
    source: &'a str,
    lexemes: Vec<Lexeme>,
    next: usize,
    depth: usize,
    /// Variables of the macros around, the innermost last.
    pub(super) locals: Vec<Arc<str>>,
    references: Vec<Reference>,
    notes: NoteId,
}

impl Parser<'_> {
    pub(super) fn peek(&self) -> &Token {
        &self.lexemes[self.next].token
    }

    /// The token after the next one.
    pub(super) fn peek_second(&self) -> &Token {
        &self.lexemes[(self.next + 1).min(self.lexemes.len() - 1)].token
    }

    pub(super) fn at(&self) -> usize {
        self.lexemes[self.next].start
    }

    /// Where the last token that was taken ends.
    pub(super) fn end(&self) -> usize {
        self.next.checked_sub(1).map_or(0, |last| self.lexemes[last].end)
    }

    pub(super) fn span_from(&self, start: usize) -> Span {
        Span::new(start, self.end())
    }

    pub(super) fn take(&mut self) -> Token {
        let token = self.lexemes[self.next].token.clone();
        // The last token is the end, which is never passed.
        self.next = (self.next + 1).min(self.lexemes.len() - 1);
        token
    }

    pub(super) fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(found) if *found == sign);
        if found {
            self.take();
        }
        found
    }

    pub(super) fn expect(&mut self, sign: &'static str) -> Result<(), ParseError> {
        if self.take_sign(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    /// A place to come back to.
    pub(super) fn mark(&self) -> usize {
        self.next
    }

    pub(super) fn reset(&mut self, mark: usize) {
        self.next = mark;
    }

    pub(super) fn note(&mut self) -> NoteId {
        self.notes += 1;
        self.notes - 1
    }

    /// An error at the next token.
    pub(super) fn unexpected(&self, expected: &str) -> ParseError {
        let found = self.peek();
        let error = ParseError::new(self.at(), format!("expected {expected}, found {}", found.describe()));
        match found {
            Token::Name(word) if word == "and" => error.hint("write `&&`"),
            Token::Name(word) if word == "or" => error.hint("write `||`"),
            Token::Name(word) if word == "is" => error.hint("write `==`"),
            Token::Sign("==") if self.source[..self.at()].ends_with('=') => error.hint("write `==`"),
            _ => error,
        }
    }

    /// Runs a rule one level deeper, within the bound on nesting.
    pub(super) fn nested<T>(
        &mut self,
        rule: impl FnOnce(&mut Self) -> Result<T, ParseError>,
    ) -> Result<T, ParseError> {
        if self.depth >= NESTING_MAX {
            let message = format!("an expression is nested at most {NESTING_MAX} deep");
            return Err(ParseError::new(self.at(), message));
        }
        self.depth += 1;
        let result = rule(self);
        self.depth -= 1;
        result
    }

    pub(super) fn expression(&mut self) -> Result<Node, ParseError> {
        self.nested(Self::conditional)
    }

    fn conditional(&mut self) -> Result<Node, ParseError> {
        let start = self.at();
        let condition = self.any_of()?;
        if !self.take_sign("?") {
            return Ok(condition);
        }
        let then = self.expression()?;
        self.expect(":")?;
        let otherwise = self.expression()?;
        let kind = Kind::Conditional(Box::new([condition, then, otherwise]));
        Ok(Node { span: self.span_from(start), kind })
    }

    fn any_of(&mut self) -> Result<Node, ParseError> {
        self.joined("||", Kind::Any, |parser| parser.joined("&&", Kind::All, |parser| parser.chain(0)))
    }

    fn joined(
        &mut self,
        sign: &str,
        kind: fn(Vec<Node>) -> Kind,
        term: impl Fn(&mut Self) -> Result<Node, ParseError>,
    ) -> Result<Node, ParseError> {
        let start = self.at();
        let first = term(self)?;
        if !matches!(self.peek(), Token::Sign(found) if *found == sign) {
            return Ok(first);
        }
        let mut terms = vec![first];
        while self.take_sign(sign) {
            terms.push(term(self)?);
        }
        Ok(Node { span: self.span_from(start), kind: kind(terms) })
    }

    fn operator(&mut self, level: usize) -> Option<Operator> {
        let text = match self.peek() {
            Token::Sign(sign) => *sign,
            Token::Name(word) if word == "in" => "in",
            _ => return None,
        };
        let (_, operator) = LEVELS[level].iter().find(|(sign, _)| *sign == text)?;
        self.take();
        Some(*operator)
    }

    fn chain(&mut self, level: usize) -> Result<Node, ParseError> {
        if level == LEVELS.len() {
            return self.unary();
        }
        let start = self.at();
        let mut first = self.chain(level + 1)?;
        let mut links = Vec::new();
        while let Some(operator) = self.operator(level) {
            let mut right = self.chain(level + 1)?;
            if links.is_empty() && matches!(operator, Operator::Equal | Operator::NotEqual) {
                self.read_type_name(&first, &mut right);
                self.read_type_name(&right, &mut first);
            }
            links.push(Link { operator, note: self.note(), right });
        }
        if links.is_empty() {
            return Ok(first);
        }
        Ok(Node { span: self.span_from(start), kind: Kind::Chain(Box::new(first), links) })
    }

    /// In `type(x) == int` the name is that of a type, though a step may be called `int` elsewhere.
    fn read_type_name(&mut self, asked: &Node, node: &mut Node) {
        let Kind::Path(path) = &asked.kind else { return };
        let asks = matches!(path.segments.last().map(|s| &s.kind),
            Some(SegmentKind::Call(call)) if call.function == Function::Type);
        let Kind::Path(Path { root: Root::Free(name, reference), segments, .. }) = &node.kind else { return };
        if !asks || !segments.is_empty() {
            return;
        }
        if let Some(known) = TYPE_NAMES.iter().find(|known| **known == &**name) {
            // Its number stays taken, so that the others keep theirs.
            self.references[*reference].root.clear();
            node.kind = Kind::TypeName(known);
        }
    }

    fn unary(&mut self) -> Result<Node, ParseError> {
        let start = self.at();
        if self.take_sign("!") {
            let inner = self.nested(Self::unary)?;
            return Ok(Node { span: self.span_from(start), kind: Kind::Not(Box::new(inner)) });
        }
        if !self.take_sign("-") {
            return self.postfix();
        }
        // A minus belongs to the number, so that the least integer can be written.
        if let Token::Int(value) = *self.peek()
            && !matches!(self.peek_second(), Token::Sign("." | "["))
        {
            let error = ParseError::new(self.at(), "this number is too large");
            self.take();
            let value = 0_i64.checked_sub_unsigned(value).ok_or(error)?;
            return Ok(Node { span: self.span_from(start), kind: Kind::Int(value) });
        }
        let inner = self.nested(Self::unary)?;
        Ok(Node { span: self.span_from(start), kind: Kind::Negate(Box::new(inner)) })
    }

    /// A value without what follows it. Names are read by `postfix`.
    pub(super) fn literal(&mut self) -> Result<Kind, ParseError> {
        let start = self.at();
        Ok(match self.peek().clone() {
            Token::Int(value) => {
                let value =
                    i64::try_from(value).map_err(|_| ParseError::new(start, "this number is too large"))?;
                self.take();
                Kind::Int(value)
            }
            Token::Double(value) => {
                self.take();
                Kind::Double(value)
            }
            Token::Text(text) => {
                self.take();
                Kind::Text(text)
            }
            Token::Sign("(") => {
                self.take();
                let inner = self.expression()?;
                self.expect(")")?;
                inner.kind
            }
            Token::Sign("[") => self.list()?,
            Token::Sign("{") => self.map()?,
            _ => return Err(self.unexpected("a value")),
        })
    }

    fn presence(&mut self) -> Presence {
        if self.take_sign("?") { Presence::Optional } else { Presence::Required }
    }

    fn list(&mut self) -> Result<Kind, ParseError> {
        self.take();
        let mut elements = Vec::new();
        while !self.take_sign("]") {
            let presence = self.presence();
            elements.push(Element { presence, value: self.expression()? });
            if !self.take_sign(",") {
                self.expect("]")?;
                break;
            }
        }
        Ok(Kind::List(elements))
    }

    fn map(&mut self) -> Result<Kind, ParseError> {
        self.take();
        let mut entries = Vec::new();
        while !self.take_sign("}") {
            let presence = self.presence();
            let key = self.expression()?;
            self.expect(":")?;
            entries.push(Entry { presence, key, value: self.expression()? });
            if !self.take_sign(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok(Kind::Map(entries))
    }

    /// A name: a variable of a macro, or one of the scope.
    pub(super) fn name(&mut self, name: String, at: usize) -> Result<Root, ParseError> {
        if RESERVED.contains(&name.as_str()) {
            return Err(ParseError::new(at, format!("`{name}` is a reserved word")));
        }
        if let Some(place) = self.locals.iter().rposition(|local| **local == *name) {
            return Ok(Root::Local(place));
        }
        self.references.push(Reference { root: name.clone(), path: Vec::new(), offset: at });
        Ok(Root::Free(name.into(), self.references.len() - 1))
    }

    /// Tells a reference how far its constant path goes.
    pub(super) fn finish_reference(&mut self, path: &Path) {
        let Root::Free(_, reference) = path.root else { return };
        let fields = path.segments.iter().map_while(|segment| match &segment.kind {
            SegmentKind::Field(name, _) => Some(name.to_string()),
            _ => None,
        });
        self.references[reference].path = fields.collect();
    }
}
