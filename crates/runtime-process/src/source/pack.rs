//! A folder as a tar that is the same for the same content, and its address.

use super::{bad, walk};
use consort_runtime::Error;
use consort_types::Digest;
use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read, Write},
    os::unix::ffi::OsStrExt,
    path::Path,
};
use tar::{Builder, EntryType, Header};

/// How much of a file is hashed at once, in bytes. Part of the address: to change it is to change them all.
const CHUNK_BYTES: usize = 1024 * 1024;

/// The first line of what is hashed; a change of the format gets another number.
const MANIFEST_HEAD: &[u8] = b"consort source 1\n";

/// Writes a folder as a tar, sorted and without times and owners, and returns its content address. What is
/// left out, and refused, is told at [`super::Sources::add_folder`].
///
/// # Errors
/// [`Error::BadSource`] names what cannot be taken; [`Error::Io`] when a file cannot be read.
pub fn pack(folder: &Path, to: impl Write) -> Result<Digest, Error> {
    let mut tar = Builder::new(to);
    let mut manifest = MANIFEST_HEAD.to_vec();
    for entry in walk::walk(folder, walk::Scope::Source)? {
        let full = folder.join(&entry.path);
        let cannot = |error| Error::io("cannot pack", &full, error);
        match entry.kind {
            walk::Kind::Folder => {
                let mut header = header(EntryType::Directory, 0o755, 0);
                tar.append_data(&mut header, &entry.path, io::empty()).map_err(cannot)?;
                note(&mut manifest, "d", entry.path.as_os_str(), &[]);
            }
            walk::Kind::Link { target } => {
                let mut header = header(EntryType::Symlink, 0o777, 0);
                tar.append_link(&mut header, &entry.path, &target).map_err(cannot)?;
                note(&mut manifest, "l", entry.path.as_os_str(), target.as_os_str().as_bytes());
            }
            walk::Kind::File { mode, bytes } => {
                let file = File::open(&full).map_err(cannot)?;
                let mut hashed =
                    Hashed { file: file.take(bytes), chunk: Vec::new(), digests: Vec::new(), read: 0 };
                let mut header = header(EntryType::Regular, mode, bytes);
                tar.append_data(&mut header, &entry.path, &mut hashed).map_err(cannot)?;
                if hashed.read != bytes {
                    return Err(bad(full, "changed while it was copied; try again"));
                }
                note(&mut manifest, &format!("f {mode:o} {bytes}"), entry.path.as_os_str(), &hashed.finish());
            }
        }
    }
    tar.into_inner()
        .and_then(|mut to| to.flush())
        .map_err(|error| Error::io("cannot pack", folder, error))?;
    Ok(Digest::of(&manifest))
}

fn header(kind: EntryType, mode: u32, bytes: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(bytes);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// One entry of what is hashed. A path may hold any byte but zero, so zeros part the fields.
fn note(manifest: &mut Vec<u8>, what: &str, path: &OsStr, content: &[u8]) {
    for field in [what.as_bytes(), path.as_bytes(), content] {
        manifest.extend_from_slice(field);
        manifest.push(0);
    }
    manifest.push(b'\n');
}

/// A file that is hashed while it is read, so that the address is that of the very bytes in the tar.
struct Hashed {
    file: io::Take<File>,
    chunk: Vec<u8>,
    digests: Vec<u8>,
    read: u64,
}

impl Hashed {
    fn finish(mut self) -> Vec<u8> {
        self.digests.extend_from_slice(Digest::of(&self.chunk).hex().as_bytes());
        self.digests
    }
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len().min(CHUNK_BYTES - self.chunk.len());
        let read = self.file.read(&mut buffer[..room])?;
        self.chunk.extend_from_slice(&buffer[..read]);
        self.read += read as u64;
        if self.chunk.len() == CHUNK_BYTES {
            self.digests.extend_from_slice(Digest::of(&self.chunk).hex().as_bytes());
            self.chunk.clear();
        }
        Ok(read)
    }
}
