//! Finds the type of an expression, and what is wrong with it, without running it.

use crate::ast::{Kind, Node, Root};
use crate::notes::Notes;
use crate::{Type, TypeEnv, TypeProblem, code};

/// One check of one expression.
pub(crate) struct Checker<'c> {
    pub source: &'c str,
    pub env: &'c TypeEnv,
    pub notes: Notes,
    pub problems: Vec<TypeProblem>,
}

impl<'c> Checker<'c> {
    pub fn new(source: &'c str, env: &'c TypeEnv) -> Self {
        Self { source, env, notes: Notes::default(), problems: Vec::new() }
    }

    pub fn node(&mut self, node: &Node) -> Type {
        let Kind::Path(path) = &node.kind else { return Type::Any };
        let Root::Free(name, _) = &path.root else { return Type::Any };
        if self.env.get(name).is_none() {
            self.problems.push(TypeProblem {
                scalar: Vec::new(),
                offset: path.root_span.start as usize,
                length: name.len(),
                code: code::UNKNOWN_NAME,
                message: format!("there is no `{name}` here"),
                hint: self.env.nearest(name).map(|near| format!("did you mean `{near}`?")),
            });
        }
        Type::Any
    }
}
