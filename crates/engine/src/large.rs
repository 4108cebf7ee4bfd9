//! Large values leave a record before it is stored: it keeps a reference in their place.
//!
//! A reference reads `{"$artifact": "sha256:…", "size": 300000}`. Which values of a record are references is
//! written beside them, so that data that looks like one stays data.

use crate::{Entry, Outcome, Record, UndoInput, WaitFor};
use consort_types::{Digest, Json};
use serde::{Deserialize, Serialize};

/// The most bytes of a value that stands in a history by itself: the limit of the contract.
pub const INLINE_BYTES_MAX: usize = 256 << 10;

/// What stands in the place of a large value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Where its JSON text is found.
    #[serde(rename = "$artifact")]
    pub artifact: Digest,
    /// Its length in bytes.
    pub size: u64,
}

impl Reference {
    /// The reference to a value.
    pub fn to(value: &Json) -> Self {
        Self { artifact: Digest::of(value.text().as_bytes()), size: value.len() as u64 }
    }
}

impl Record {
    /// Puts a reference in the place of each value over [`INLINE_BYTES_MAX`], and gives those values: they must
    /// be stored before the record is.
    pub fn take_large(&mut self) -> Vec<Json> {
        let (mut place, mut references, mut taken) = (0, Vec::new(), Vec::new());
        self.each_value(&mut |value| {
            if value.len() > INLINE_BYTES_MAX {
                references.push(place);
                let reference = Json::of(&Reference::to(value));
                taken.push(std::mem::replace(value, reference));
            }
            place += 1;
        });
        self.references = references;
        taken
    }

    /// Puts the large values back.
    ///
    /// # Errors
    /// Whatever `find` fails with, and when what stands in the place of a value is no reference.
    pub fn put_large<E: From<serde_json::Error>>(
        &mut self,
        mut find: impl FnMut(Reference) -> Result<Json, E>,
    ) -> Result<(), E> {
        let references = std::mem::take(&mut self.references);
        if references.is_empty() {
            return Ok(());
        }
        let (mut place, mut failed) = (0, None);
        self.each_value(&mut |value| {
            if references.binary_search(&place).is_ok() && failed.is_none() {
                match value.read::<Reference>().map_err(E::from).and_then(&mut find) {
                    Ok(found) => *value = found,
                    Err(error) => failed = Some(error),
                }
            }
            place += 1;
        });
        failed.map_or(Ok(()), Err)
    }

    fn each_value(&mut self, act: &mut dyn FnMut(&mut Json)) {
        self.entries.iter_mut().for_each(|entry| entry.each_value(act));
    }
}

impl Entry {
    /// The values of users that an entry holds, always in the same order. An entry is kept for ever: a kind
    /// that gets a value later puts it behind those that it has.
    fn each_value(&mut self, act: &mut dyn FnMut(&mut Json)) {
        match self {
            Self::RunStarted(started) => {
                act(&mut started.input);
                let copies = started.copies.iter_mut().flat_map(|copies| copies.steps.values_mut());
                copies.filter_map(|copied| copied.output.as_mut()).for_each(&mut *act);
                started.previous.iter_mut().for_each(act);
            }
            Self::Admitted { previous: Some(previous), .. } => act(previous),
            Self::TurnBegan { carry, .. } => act(carry),
            Self::Succeeded { o, undo, .. } => {
                act(o);
                each_undo_value(undo, act);
            }
            Self::Failed { undo, .. } | Self::Cancelled { undo, .. } | Self::UndoBegan { undo, .. } => {
                each_undo_value(undo, act);
            }
            Self::Ending { outcome: Outcome::Succeeded { output }, .. } => act(output),
            Self::Waiting { r#for: WaitFor::Approval { show: Some(show), .. }, .. } => act(show),
            Self::Signalled { body, .. } => act(body),
            Self::RunEnding { output: Some(output), .. } => act(output),
            _ => {}
        }
    }
}

fn each_undo_value(undo: &mut Option<UndoInput>, act: &mut dyn FnMut(&mut Json)) {
    if let Some(UndoInput::Input(value) | UndoInput::Unknown(value)) = undo {
        act(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NodeId;
    use consort_types::Timestamp;

    fn succeeded(output: Json) -> Entry {
        Entry::Succeeded { n: NodeId(1), o: output, undo: None }
    }

    fn output_of(record: &Record, place: usize) -> Json {
        match &record.entries[place] {
            Entry::Succeeded { o, .. } => o.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_large_value_leaves_the_record_and_comes_back() {
        let (small, large) = (Json::of("x"), Json::of(&"x".repeat(INLINE_BYTES_MAX)));
        let lookalike = Json::of(&Reference::to(&large));
        let entries = vec![succeeded(small), succeeded(large.clone()), succeeded(lookalike.clone())];
        let mut record = Record::new(Timestamp::from_millis(1), entries);
        assert_eq!(record.take_large(), std::slice::from_ref(&large));
        let stored = record.encode();
        assert!(stored.len() < 1_000, "{}", stored.len());
        let mut read = Record::decode(&stored).unwrap();
        let find = |reference: Reference| {
            assert_eq!(reference, Reference::to(&large));
            Ok::<_, serde_json::Error>(large.clone())
        };
        read.put_large(find).unwrap();
        assert_eq!((output_of(&read, 1), output_of(&read, 2)), (large.clone(), lookalike));
        assert!(
            Record::decode(&stored)
                .unwrap()
                .put_large(|_| Err(serde_json::from_str::<u8>("x").unwrap_err()))
                .is_err()
        );
    }

    #[test]
    fn a_value_of_just_the_limit_stays() {
        let value = Json::of(&"x".repeat(INLINE_BYTES_MAX - 2));
        let mut record = Record::new(Timestamp::from_millis(1), vec![succeeded(value.clone())]);
        assert!(record.take_large().is_empty());
        assert_eq!(output_of(&record, 0), value);
    }
}
