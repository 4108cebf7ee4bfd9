//! Values with holes.

use crate::cost::Budget;
use crate::parse::end_of_expression;
use crate::types::{Field, ObjectType};
use crate::value::{Value, Writer, append_text};
use crate::{EvalError, Expr, ParseError, Reference, Scope, Type, TypeEnv, TypeProblem};
use consort_types::Json;
use std::sync::Arc;

/// A value of the project file: JSON in which expressions stand.
///
/// A text that is one whole `${ … }` keeps the type of its value; inside of other text the value is put in as
/// text. Nothing that comes out of an expression is ever read as an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Template {
    /// A value without any expression.
    Literal(Json),
    /// One whole expression.
    Expr(Expr),
    /// Text with expressions in it.
    Text(Vec<TextPart>),
    /// A list of values.
    List(Vec<Template>),
    /// An object, in the order it was written.
    Map(Vec<(String, Template)>),
}

/// A piece of a text with holes.
#[derive(Debug, Clone, PartialEq)]
pub enum TextPart {
    /// Text as it stands.
    Text(String),
    /// What an expression gives, as text, and where its source begins in the scalar.
    Expr {
        /// The expression.
        expr: Expr,
        /// Bytes from the start of the scalar to the first byte behind `${`.
        offset: usize,
    },
}

impl Template {
    /// Reads one scalar. `$${` writes `${`; an expression ends at its own brace.
    ///
    /// # Errors
    /// When an expression in it is none, or never ends. The offset is that in the scalar.
    pub fn parse_text(text: &str) -> Result<Self, ParseError> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut at = 0;
        while let Some(found) = text[at..].find("${") {
            let dollar = at + found;
            if text[at..dollar].ends_with('$') {
                plain.push_str(&text[at..dollar - 1]);
                plain.push_str("${");
                at = dollar + 2;
                continue;
            }
            plain.push_str(&text[at..dollar]);
            let (expr, offset, end) = hole(text, dollar)?;
            if dollar == 0 && end == text.len() {
                return Ok(Self::Expr(expr));
            }
            if !plain.is_empty() {
                parts.push(TextPart::Text(std::mem::take(&mut plain)));
            }
            parts.push(TextPart::Expr { expr, offset });
            at = end;
        }
        plain.push_str(&text[at..]);
        if parts.is_empty() {
            return Ok(Self::literal(serde_json::Value::String(plain)));
        }
        if !plain.is_empty() {
            parts.push(TextPart::Text(plain));
        }
        Ok(Self::Text(parts))
    }

    /// A value in which nothing is ever an expression.
    pub fn literal(value: serde_json::Value) -> Self {
        Self::Literal(Json::from(value))
    }

    /// A list of templates.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(items)
    }

    /// An object of templates. Keys are never expressions.
    pub fn map(entries: Vec<(String, Self)>) -> Self {
        Self::Map(entries)
    }

    /// Every name that an expression in it reads. Offsets are those of the scalar that it stands in.
    pub fn references(&self) -> Vec<Reference> {
        let mut all = Vec::new();
        self.each_expr(&mut |expr, offset| {
            all.extend(expr.references().iter().cloned().map(|mut reference| {
                reference.offset += offset;
                reference
            }));
        });
        all
    }

    /// Calls back for each expression, with the offset of its source in the scalar.
    fn each_expr(&self, each: &mut impl FnMut(&Expr, usize)) {
        match self {
            Self::Literal(_) => {}
            Self::Expr(expr) => each(expr, WHOLE_OFFSET),
            Self::Text(parts) => parts.iter().for_each(|part| {
                if let TextPart::Expr { expr, offset } = part {
                    each(expr, *offset);
                }
            }),
            Self::List(items) => items.iter().for_each(|item| item.each_expr(each)),
            Self::Map(entries) => entries.iter().for_each(|(_, value)| value.each_expr(each)),
        }
    }

    /// The expression, when this is a single whole one.
    pub fn as_expr(&self) -> Option<&Expr> {
        match self {
            Self::Expr(expr) => Some(expr),
            _ => None,
        }
    }

    /// The value with its holes filled.
    ///
    /// # Errors
    /// The first expression that fails; kind `limit` when all of them together take more than one budget, or
    /// the value grows beyond [`VALUE_LEN_MAX`](crate::VALUE_LEN_MAX) or [`NESTING_MAX`](crate::NESTING_MAX).
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Json, EvalError> {
        match self {
            Self::Literal(json) => Ok(json.clone()),
            Self::Expr(expr) => expr.evaluate(scope),
            Self::Text(_) | Self::List(_) | Self::Map(_) => {
                let mut writer = Writer::new(String::new());
                self.write(&mut writer, scope, &mut Budget::new(), 0)?;
                Json::from_text(writer.out).map_err(|error| {
                    EvalError::new(crate::code::FORMAT, format!("the value is no JSON: {error}"))
                })
            }
        }
    }

    fn write(
        &self,
        writer: &mut Writer,
        scope: &dyn Scope,
        budget: &mut Budget,
        depth: usize,
    ) -> Result<(), EvalError> {
        match self {
            Self::Literal(json) => writer.json_text(json.text(), depth),
            Self::Expr(expr) => writer.value(&expr.evaluate_value(scope, budget)?, depth),
            Self::Text(parts) => writer.quoted(&fill(parts, scope, budget)?),
            Self::List(items) => {
                writer.open("[", depth)?;
                for (index, item) in items.iter().enumerate() {
                    writer.comma(index)?;
                    item.write(writer, scope, budget, depth + 1)?;
                }
                writer.push("]")
            }
            Self::Map(entries) => {
                writer.open("{", depth)?;
                for (index, (key, value)) in entries.iter().enumerate() {
                    writer.comma(index)?;
                    writer.quoted(key)?;
                    writer.push(":")?;
                    value.write(writer, scope, budget, depth + 1)?;
                }
                writer.push("}")
            }
        }
    }
}

/// A whole expression begins behind its `${`.
const WHOLE_OFFSET: usize = 2;

/// The expression whose `${` stands at `dollar`: itself, where its source begins, where the hole ends.
fn hole(text: &str, dollar: usize) -> Result<(Expr, usize, usize), ParseError> {
    let start = dollar + 2;
    let Some(len) = end_of_expression(&text[start..]) else {
        return Err(ParseError::new(dollar, "this `${` is never closed")
            .hint("close it with `}`, or write `$${` for the text `${`"));
    };
    let expr = Expr::parse(&text[start..start + len]).map_err(|error| error.moved_by(start))?;
    Ok((expr, start, start + len + 1))
}

fn fill(parts: &[TextPart], scope: &dyn Scope, budget: &mut Budget) -> Result<String, EvalError> {
    let mut out = String::new();
    for part in parts {
        match part {
            TextPart::Text(text) => out.push_str(text),
            TextPart::Expr { expr, .. } => {
                let value: Value = expr.evaluate_value(scope, budget)?;
                out = append_text(out, &value)?;
            }
        }
    }
    Ok(out)
}

impl Template {
    /// The type of the value, and everything that is wrong with its expressions. Each problem names its
    /// scalar, so that a caller who remembers where the scalars stand in a file can place it.
    pub fn check(&self, env: &TypeEnv) -> (Type, Vec<TypeProblem>) {
        let mut problems = Vec::new();
        let type_ = self.check_at(env, &mut Vec::new(), &mut problems);
        (type_, problems)
    }

    fn check_at(&self, env: &TypeEnv, at: &mut Vec<usize>, problems: &mut Vec<TypeProblem>) -> Type {
        match self {
            Self::Literal(json) => Type::of_literal(&json.to_value()),
            Self::Expr(expr) => check_expr(expr, WHOLE_OFFSET, env, at, problems),
            Self::Text(parts) => {
                for part in parts {
                    if let TextPart::Expr { expr, offset } = part {
                        check_expr(expr, *offset, env, at, problems);
                    }
                }
                Type::String
            }
            Self::List(items) => {
                let mut item_type: Option<Type> = None;
                for (index, item) in items.iter().enumerate() {
                    at.push(index);
                    let found = item.check_at(env, at, problems);
                    at.pop();
                    item_type = Some(item_type.map_or(found.clone(), |known| known.join(&found)));
                }
                Type::list(item_type.unwrap_or_default())
            }
            Self::Map(entries) => {
                let mut fields = Vec::with_capacity(entries.len());
                for (index, (name, value)) in entries.iter().enumerate() {
                    at.push(index);
                    let type_ = value.check_at(env, at, problems);
                    at.pop();
                    fields.push(Field { name: name.clone(), type_, required: true });
                }
                Type::Object(Arc::new(ObjectType { fields }))
            }
        }
    }

    /// The same template with every expression bound to the types of its names; see [`Expr::bind`].
    #[must_use]
    pub fn bind(&self, env: &TypeEnv) -> Self {
        match self {
            Self::Literal(_) => self.clone(),
            Self::Expr(expr) => Self::Expr(expr.bind(env)),
            Self::Text(parts) => Self::Text(parts.iter().map(|part| part.bind(env)).collect()),
            Self::List(items) => Self::List(items.iter().map(|item| item.bind(env)).collect()),
            Self::Map(entries) => {
                Self::Map(entries.iter().map(|(name, value)| (name.clone(), value.bind(env))).collect())
            }
        }
    }
}

impl TextPart {
    fn bind(&self, env: &TypeEnv) -> Self {
        match self {
            Self::Text(_) => self.clone(),
            Self::Expr { expr, offset } => Self::Expr { expr: expr.bind(env), offset: *offset },
        }
    }
}

fn check_expr(
    expr: &Expr,
    offset: usize,
    env: &TypeEnv,
    at: &[usize],
    problems: &mut Vec<TypeProblem>,
) -> Type {
    let (type_, found) = expr.check(env);
    problems.extend(found.into_iter().map(|mut problem| {
        problem.scalar = at.to_vec();
        problem.offset += offset;
        problem
    }));
    type_
}
