//! A file that holds some room on the disk for the moment when there is no other left.
//!
//! When a commit finds the disk full, the reserve is given up: what was on its way is committed and
//! acknowledged, and the node has room to go on with what it has while new starts are refused. Once the
//! reserve can be made again, the disk has room again.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

/// Room for the batch that met the full disk and some seconds of results.
const RESERVE_BYTES: usize = 4 << 20;

/// How often it is tried to make a reserve again that was given up.
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// Bytes that are written at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// The reserve of a data folder.
#[derive(Debug)]
pub(crate) struct Reserve {
    path: PathBuf,
    is_held: bool,
    tried: Instant,
}

impl Reserve {
    /// Takes the reserve, or finds that there is no room for it.
    pub fn take(path: PathBuf) -> Self {
        let mut reserve = Self { path, is_held: false, tried: Instant::now() };
        reserve.is_held = reserve.make().is_ok();
        reserve
    }

    /// Whether it is there.
    pub const fn is_held(&self) -> bool {
        self.is_held
    }

    /// Gives the room to whoever needs it now. False when there was none to give.
    pub fn give_up(&mut self) -> bool {
        let had = std::mem::take(&mut self.is_held);
        // Not at once: the room that was just given must not be taken back before it was used.
        self.tried = Instant::now();
        fs::remove_file(&self.path).is_ok() && had
    }

    /// Makes it again if there is room now; looks at most once a second. True when it is there.
    pub fn restore(&mut self) -> bool {
        if !self.is_held && self.tried.elapsed() >= RETRY_EVERY {
            self.tried = Instant::now();
            self.is_held = self.make().is_ok();
        }
        self.is_held
    }

    /// Writes it out: a file with holes would hold no room.
    fn make(&self) -> io::Result<()> {
        let write = || {
            let mut file = File::create(&self.path)?;
            for _ in 0..RESERVE_BYTES / CHUNK_BYTES {
                file.write_all(&[0; CHUNK_BYTES])?;
            }
            file.sync_data()
        };
        let made = write();
        if made.is_err() {
            let _ = fs::remove_file(&self.path);
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_is_given_up_once_and_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reserve");
        let mut reserve = Reserve::take(path.clone());
        assert!(reserve.is_held());
        assert_eq!(fs::metadata(&path).unwrap().len() as usize, RESERVE_BYTES);
        assert!(reserve.give_up());
        assert!(!path.exists() && !reserve.give_up());
        assert!(!reserve.restore(), "not at once");
        reserve.tried = Instant::now().checked_sub(RETRY_EVERY).unwrap();
        assert!(reserve.restore() && path.exists());
    }

    #[test]
    fn where_there_is_no_room_there_is_no_reserve() {
        let folder = tempfile::tempdir().unwrap();
        let reserve = Reserve::take(folder.path().join("no such folder").join("reserve"));
        assert!(!reserve.is_held());
    }
}
