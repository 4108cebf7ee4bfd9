//! A copy of the databases as they are at one moment, also while a server writes on.

use super::FILES;
use crate::{fault::Fault, file::DatabaseFile};
use consort_store::Error;
use std::{fs::File, path::Path};

/// Copies the databases of a data folder into another folder, each as it is at one moment, and fsyncs the
/// copies. The server may go on; what it commits meanwhile is not in the copy. Its write-ahead log cannot
/// begin anew until the copy is made, so it grows by what is committed meanwhile.
///
/// The copies are packed: pages that hold nothing are left out. Returns the names of the files made.
///
/// # Errors
/// [`Error::NotWritable`] when `to` holds such a file already or cannot be written, [`Error::Full`],
/// [`Error::Corrupt`] when a database cannot be read; [`Error::Io`] when the folder holds no store.
pub fn snapshot(folder: &Path, to: &Path) -> Result<Vec<&'static str>, Error> {
    let mut made = Vec::new();
    for (name, _) in FILES {
        let (from, copy) = (folder.join(name), to.join(name));
        if !from.is_file() {
            return Err(Error::Io {
                detail: format!("{} holds no store: {name} is not there", folder.display()),
            });
        }
        if copy.exists() {
            let source = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
            return Err(Error::NotWritable { path: copy, source });
        }
        pack_into(from.as_path(), &copy)?;
        let synced = File::open(&copy).and_then(|file| file.sync_all());
        synced.map_err(|source| Error::NotWritable { path: copy, source })?;
        made.push(name);
    }
    Ok(made)
}

fn pack_into(from: &Path, copy: &Path) -> Result<(), Error> {
    let work = || {
        let connection = DatabaseFile::at(from.to_owned()).reader()?;
        // One read transaction for the whole copy: that is what makes it a moment.
        connection.execute("VACUUM INTO ?1", [copy.to_string_lossy().as_ref()])?;
        Ok::<_, Fault>(())
    };
    let done = work();
    if done.is_err() {
        // Half a copy helps nobody.
        let _ = std::fs::remove_file(copy);
    }
    Ok(done?)
}
