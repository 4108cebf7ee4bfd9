//! Revisions as folders that are ready to run: `DATA/revisions/NAMESPACE/SERVICE/REVISION/`.
//!
//! A file `REVISION.ready` beside the folder says that its setup is done. Without it, whatever the folder
//! holds is thrown away and made again from the stored source: a setup that was cut off is never built upon.

use crate::{
    environment,
    lines::Lines,
    process::{Launch, Process, Stdin},
    source::{self, Sources},
};
use consort_runtime::{Error, Masker, RevisionSpec};
use std::{
    collections::{HashMap, VecDeque},
    fs::{self, File},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::OnceCell,
    task::spawn_blocking,
    time::timeout,
};

/// How long one setup command may take; a large set of packages on a slow line needs its minutes.
const SETUP_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// How many lines of output a failure shows: enough for a traceback or the complaint of a package manager.
const OUTPUT_LINES_MAX: usize = 60;

/// How long a line of them may be, in characters.
const OUTPUT_LINE_CHARS_MAX: usize = 500;

type Outcome = Result<PathBuf, Error>;

/// The prepared revisions.
pub(crate) struct Revisions {
    dir: PathBuf,
    shim: PathBuf,
    sources: Sources,
    /// What is being prepared, so that callers at the same time share the work and its outcome.
    in_work: Mutex<HashMap<PathBuf, Arc<OnceCell<Outcome>>>>,
}

impl Revisions {
    pub(crate) fn open(data_dir: &Path, shim: PathBuf, sources: Sources) -> Result<Self, Error> {
        let dir = data_dir.join("revisions");
        fs::create_dir_all(&dir).map_err(|error| Error::io("cannot make", &dir, error))?;
        // Services find their folder from wherever they stand.
        let dir = fs::canonicalize(&dir).map_err(|error| Error::io("cannot read", &dir, error))?;
        for service in fs::read_dir(&dir).map_err(|error| Error::io("cannot read", &dir, error))?.flatten() {
            source::remove_leftovers(&service.path());
        }
        Ok(Self { dir, shim, sources, in_work: Mutex::default() })
    }

    pub(crate) fn sources(&self) -> &Sources {
        &self.sources
    }

    pub(crate) async fn prepare(&self, revision: RevisionSpec) -> Outcome {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if revision.revision.is_empty() || !revision.revision.chars().all(fits) {
            return Err(source::bad(revision.revision, "is no name of a revision"));
        }
        let of_namespace = self.dir.join(revision.namespace.as_str());
        let folder = of_namespace.join(revision.service.as_str()).join(&revision.revision);
        let work = Arc::clone(self.in_work().entry(folder.clone()).or_default());
        let outcome = work.get_or_init(|| self.make(&revision, folder.clone())).await.clone();
        // The next caller looks at the disk again: a failure may be mended by then.
        let mut in_work = self.in_work();
        if in_work.get(&folder).is_some_and(|current| Arc::ptr_eq(current, &work)) {
            in_work.remove(&folder);
        }
        outcome
    }

    fn in_work(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, Arc<OnceCell<Outcome>>>> {
        self.in_work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn make(&self, revision: &RevisionSpec, folder: PathBuf) -> Outcome {
        let marker = marker(&folder);
        if marker.is_file() && folder.is_dir() {
            return Ok(folder);
        }
        let no_source =
            || Error::NoSource { service: revision.service.to_string(), digest: revision.source.to_string() };
        let tar = self.sources.get(&revision.source).ok_or_else(no_source)?;
        let (temporary, folder) = blocking(move || unpack_beside(&tar, &folder)).await?;
        fs::rename(&temporary, &folder).map_err(|error| Error::io("cannot make", &folder, error))?;
        for command in &revision.setup {
            self.run_setup(revision, command, &folder).await?;
        }
        blocking(move || finish(&folder, &marker).map(|()| folder)).await
    }

    async fn run_setup(&self, revision: &RevisionSpec, command: &str, folder: &Path) -> Result<(), Error> {
        let names = [
            ("CONSORT_SERVICE".to_owned(), revision.service.to_string()),
            ("CONSORT_REVISION".to_owned(), revision.revision.clone()),
        ];
        let environment = environment::of_setup(&[&revision.environment, &revision.secrets, &names]);
        // One pipe for both streams: only so do complaints stand where they belong in the output.
        let argv = ["/bin/sh".to_owned(), "-c".to_owned(), format!("exec 2>&1\n{command}")];
        let launch = Launch {
            shim: &self.shim,
            argv: &argv,
            dir: folder,
            environment: &environment,
            stdin: Stdin::Nothing,
        };
        let mut process = Process::start(launch).await?;
        let masker = Masker::new(revision.secrets.iter().map(|(_, value)| value.as_str()));
        let tail = Tail { lines: Mutex::default(), masker };
        let stdout = process.stdout.take();
        let talk = async { tokio::join!(tail.listen(stdout), process.wait()).1 };
        let status = match timeout(SETUP_TIMEOUT, talk).await {
            Ok(end) if end.code == Some(0) => return Ok(()),
            Ok(end) => match (end.code, end.signal) {
                (Some(code), _) => format!("exited with {code}"),
                (None, signal) => format!("was killed by signal {}", signal.unwrap_or_default()),
            },
            Err(_) => format!("took longer than {}", consort_types::format_duration(SETUP_TIMEOUT)),
        };
        let (service, command) = (revision.service.to_string(), command.to_owned());
        Err(Error::SetupFailed { service, command, status, output: tail.text() })
    }
}

/// The last lines of a command's output.
struct Tail {
    lines: Mutex<VecDeque<String>>,
    masker: Masker,
}

impl Tail {
    async fn listen(&self, pipe: Option<impl AsyncRead + Unpin>) {
        let Some(mut pipe) = pipe else { return };
        let mut cutter = Lines::default();
        let mut emit = |line: String| self.keep(&line);
        let mut chunk = vec![0; 16 * 1024];
        while let Ok(read @ 1..) = pipe.read(&mut chunk).await {
            cutter.push(&chunk[..read], &mut emit);
        }
        cutter.finish(&mut emit);
    }

    fn keep(&self, line: &str) {
        let line = self.masker.mask(line).chars().take(OUTPUT_LINE_CHARS_MAX).collect();
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == OUTPUT_LINES_MAX {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn text(&self) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

fn marker(folder: &Path) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(".ready");
    name.into()
}

/// Throws away what a cut-off setup left, and unpacks the source beside the folder's place.
fn unpack_beside(tar: &Path, folder: &Path) -> Result<(PathBuf, PathBuf), Error> {
    let parent = folder.parent().unwrap_or(folder);
    fs::create_dir_all(parent).map_err(|error| Error::io("cannot make", parent, error))?;
    if folder.exists() {
        // Moved away first: a setup that is just being killed may still write into it.
        let old = parent.join(source::temporary_name());
        fs::rename(folder, &old).map_err(|error| Error::io("cannot remove", folder, error))?;
        let _ = fs::remove_dir_all(&old);
    }
    let temporary = parent.join(source::temporary_name());
    let file = File::open(tar).map_err(|error| Error::io("cannot read", tar, error))?;
    source::unpack(std::io::BufReader::new(file), &temporary)?;
    Ok((temporary, folder.to_owned()))
}

/// Says that a folder is ready, once all that is in it would outlast a power cut.
fn finish(folder: &Path, marker: &Path) -> Result<(), Error> {
    let cannot = |error: std::io::Error| Error::io("cannot write", marker, error);
    let file = File::open(folder).map_err(cannot)?;
    nix::unistd::syncfs(&file).map_err(|error| cannot(error.into()))?;
    let made = File::create(marker).and_then(|file| file.sync_all());
    made.map_err(cannot)?;
    source::sync_folder(folder.parent().unwrap_or(folder))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match spawn_blocking(work).await {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
