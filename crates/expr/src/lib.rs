//! Expressions: parse, references, types, evaluation within a budget.
