//! What the last run of a workflow gave that succeeded.

use super::{Harness, name, opened};
use crate::{Batch, LastOutput, Write};
use consort_types::Json;

fn set(workflow: &str, limit_key: Option<&str>, document: u32) -> Write {
    let (namespace, workflow) = (name("lending"), name(workflow));
    let limit_key = limit_key.map(str::to_owned);
    Write::SetLastOutput(Box::new(LastOutput {
        namespace,
        workflow,
        limit_key,
        document: Json::of(&document),
    }))
}

/// One for each key, and one for all; a newer one takes the place of the one before, also after a restart.
pub fn the_last_output_is_kept_for_each_key(harness: &impl Harness) {
    let mut store = opened(harness);
    let writes =
        vec![set("w", Some("\"a\""), 1), set("w", None, 1), set("w", Some("\"b\""), 2), set("w", None, 2)];
    store.writer.commit(&Batch::from(writes)).unwrap();
    store.writer.commit(&Batch::from(vec![set("w", Some("\"b\""), 3)])).unwrap();
    drop(store);
    let store = opened(harness);
    let of = |namespace: &str, workflow: &str, key: Option<&str>| {
        let found = store.reader.last_output(namespace, workflow, key).unwrap();
        found.map(|document| document.read::<u32>().unwrap())
    };
    assert_eq!(of("lending", "w", Some("\"a\"")), Some(1));
    assert_eq!(of("lending", "w", Some("\"b\"")), Some(3));
    assert_eq!(of("lending", "w", None), Some(2));
    assert_eq!(
        [of("lending", "w", Some("\"c\"")), of("lending", "v", None), of("other", "w", None)],
        [None; 3]
    );
}
