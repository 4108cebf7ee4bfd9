//! Noticing a save, by looking: the same on every file system, and cheap for a project's few files.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Files that are looked at; of a larger project only the first so many.
const FILES_MAX: usize = 20_000;

/// Folders that are made by tools and left out of revisions.
const IGNORED: &[&str] = &[".git", ".venv", "node_modules", "__pycache__", "target"];

/// What the files looked like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State(BTreeMap<PathBuf, (u64, Option<SystemTime>)>);

impl State {
    /// Looks at every file of a project but those of its data.
    pub fn of(root: &Path, data: &Path) -> Self {
        let mut files = BTreeMap::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                let Ok(metadata) = entry.metadata() else { continue };
                let ignored = IGNORED.iter().any(|name| entry.file_name() == *name) || path == data;
                if metadata.is_dir() && !ignored {
                    folders.push(path);
                } else if metadata.is_file() && files.len() < FILES_MAX {
                    files.insert(path, (metadata.len(), metadata.modified().ok()));
                }
            }
        }
        Self(files)
    }
}

/// Waits until the files differ from what was seen, and have come to rest.
pub async fn change(root: &Path, data: &Path, seen: State) -> State {
    let mut before = seen.clone();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = State::of(root, data);
        // A save of many files is over when nothing moves between two looks.
        if now != seen && now == before {
            return now;
        }
        before = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_save_is_seen_and_what_tools_make_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (root, data) = (folder.path(), folder.path().join("data"));
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("consort.yaml", "name: a");
        let before = State::of(root, &data);
        for quiet in ["data/store.db", ".venv/x", "services/a/node_modules/y"] {
            write(quiet, "x");
            assert_eq!(State::of(root, &data), before, "{quiet}");
        }
        for loud in [("consort.yaml", "name: ab"), ("services/a/new.py", "")] {
            let before = State::of(root, &data);
            write(loud.0, loud.1);
            assert_ne!(State::of(root, &data), before, "{}", loud.0);
        }
    }
}
