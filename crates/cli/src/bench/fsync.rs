//! What the disk of this machine takes to keep a promise: the figure without which no rate means anything.

use crate::failure::Failure;
use std::{
    fs::File,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

/// Appends measured; some tens of milliseconds on a quick disk.
const APPENDS: usize = 200;

/// Bytes of one append: a page.
const APPEND_BYTES: usize = 4_096;

/// The median time of an fdatasync after an append of a page.
///
/// # Errors
/// When the folder cannot be written.
pub(super) fn measure(folder: &Path) -> Result<Duration, Failure> {
    let path = folder.join("fsync");
    let work = || {
        let mut file = File::create(&path)?;
        let mut times = Vec::with_capacity(APPENDS);
        for _ in 0..APPENDS {
            file.write_all(&[7; APPEND_BYTES])?;
            let begun = Instant::now();
            file.sync_data()?;
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        std::fs::remove_file(&path)?;
        Ok::<_, std::io::Error>(times[APPENDS / 2])
    };
    work().map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}
