//! What a check found out about the places of an expression.
//!
//! JSON does not say whether `5` is an integer or a number, nor whether a text is a time or a missing field was
//! optional. Where the declared types tell, binding writes it down here and evaluation goes by it.

use crate::ast::NoteId;

/// What is known about one operator or one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Note {
    #[default]
    Nothing,
    /// One side is declared `number`: compute with doubles, so that `5 / 2` is `2.5`.
    Numbers,
    /// Both sides are times or durations, even if they come as texts.
    Times,
    /// The field is optional: when it is absent it is null.
    MayBeAbsent,
}

/// The notes of one expression, by number. Empty: nothing is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notes(Vec<Note>);

impl Notes {
    pub fn of(&self, id: NoteId) -> Note {
        self.0.get(id as usize).copied().unwrap_or_default()
    }

    pub fn set(&mut self, id: NoteId, note: Note) {
        let at = id as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, Note::Nothing);
        }
        self.0[at] = note;
    }
}
