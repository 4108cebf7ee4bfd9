//! One expression.

use crate::check::{Checker, Facts};
use crate::cost::Budget;
use crate::eval::Evaluator;
use crate::notes::Notes;
use crate::parse::{Parsed, parse};
use crate::value::{Value, into_json};
use crate::{EvalError, ParseError, Reference, Scope, Type, TypeEnv, TypeProblem, code};
use consort_types::Json;
use std::fmt;
use std::sync::Arc;

/// A parsed expression: immutable, cheap to clone.
#[derive(Clone)]
pub struct Expr {
    inner: Arc<Inner>,
    notes: Arc<Notes>,
}

struct Inner {
    source: String,
    parsed: Parsed,
}

impl Expr {
    /// Reads an expression: the text between `${` and `}`, or one that stands alone.
    ///
    /// # Errors
    /// When the text is no expression, is longer than [`SOURCE_LEN_MAX`](crate::SOURCE_LEN_MAX) or nested
    /// deeper than [`NESTING_MAX`](crate::NESTING_MAX).
    pub fn parse(source: &str) -> Result<Self, ParseError> {
        let parsed = parse(source)?;
        Ok(Self { inner: Arc::new(Inner { source: source.to_owned(), parsed }), notes: Arc::default() })
    }

    /// The text as it was written.
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    /// Every name of the scope that is read, once for each place, in the order of the text. The variables of
    /// macros are none.
    pub fn references(&self) -> &[Reference] {
        &self.inner.parsed.references
    }

    /// The value of the expression. A plain place is given out as the text that it has in the data.
    ///
    /// # Errors
    /// Kind `limit` when a bound was reached, else kind `expression`. The same values give the same error.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Json, EvalError> {
        into_json(self.evaluate_value(scope, &mut Budget::new())?)
    }

    /// The value of a condition.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate), and when the value is neither true nor false.
    pub fn evaluate_bool(&self, scope: &dyn Scope) -> Result<bool, EvalError> {
        match self.evaluate_value(scope, &mut Budget::new())?.force()? {
            Value::Bool(value) => Ok(value),
            other => {
                let code = if matches!(other, Value::Null) { code::NULL } else { code::TYPE };
                let message =
                    format!("`{}` must be true or false, it is {}", self.source(), other.describe());
                Err(EvalError::new(code, message))
            }
        }
    }

    pub(crate) fn root(&self) -> &crate::ast::Node {
        &self.inner.parsed.root
    }

    pub(crate) fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Evaluates within a budget that several expressions share.
    pub(crate) fn evaluate_value(&self, scope: &dyn Scope, budget: &mut Budget) -> Result<Value, EvalError> {
        let lent = std::mem::replace(budget, Budget::new());
        let mut evaluator = Evaluator::new(scope, self.source(), &self.notes, lent);
        let value = evaluator.node(&self.inner.parsed.root);
        *budget = evaluator.budget;
        value
    }

    /// The type of the value, and everything that is wrong with the expression. [`Type::Any`] where nothing
    /// is known. Offsets are those of the source.
    pub fn check(&self, env: &TypeEnv) -> (Type, Vec<TypeProblem>) {
        let mut checker = Checker::new(&self.inner.source, env);
        let type_ = checker.whole(&self.inner.parsed.root);
        (type_, checker.problems)
    }

    /// The places that are there and not null when this is true: each a name of the scope and the fields behind
    /// it. For whoever knows that a condition held before something else is evaluated.
    pub fn not_null_if_true(&self) -> Vec<Vec<String>> {
        let mut facts = Facts::default();
        facts.learn(&self.inner.parsed.root, true);
        facts.of_free()
    }

    /// The same when this is false.
    pub fn not_null_if_false(&self) -> Vec<Vec<String>> {
        let mut facts = Facts::default();
        facts.learn(&self.inner.parsed.root, false);
        facts.of_free()
    }

    /// The same expression, evaluated by what the types declare where JSON itself does not tell: a `number`
    /// divides as a double though the data says `5`, a `datetime` compares as a time, an absent optional field
    /// is null. Bind what was checked; an expression that was never bound takes the data as it comes.
    #[must_use]
    pub fn bind(&self, env: &TypeEnv) -> Self {
        let mut checker = Checker::new(&self.inner.source, env);
        checker.whole(&self.inner.parsed.root);
        Self { inner: self.inner.clone(), notes: Arc::new(checker.notes) }
    }
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expr({:?})", self.source())
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.source())
    }
}

/// Two expressions are equal when they were written alike and bound alike.
impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source() && self.notes == other.notes
    }
}
