//! A process under a shim, seen from the server.

use crate::{cgroup::Cgroup, shim};
use consort_runtime::Error;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use std::{
    io,
    os::{fd::AsRawFd, unix::net::UnixStream as StdUnixStream},
    path::{Path, PathBuf},
    process::Stdio,
    sync::Mutex,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
};

/// How long a shim may take to start its command. It is a matter of milliseconds; a machine that is
/// swapping may need more.
const SPAWN_TIMEOUT: Duration = Duration::from_secs(20);

/// How often to try to remove the group of a killed tree: it is busy until the last process is gone.
const REMOVE_TRIES_MAX: u32 = 100;

/// How long between two tries.
const REMOVE_PAUSE: Duration = Duration::from_millis(5);

/// Only one shim is born at a time, so that none inherits the control socket of another.
static BIRTH: Mutex<()> = Mutex::new(());

/// What to start.
pub(crate) struct Launch<'a> {
    /// The program that becomes the shim.
    pub shim: &'a Path,
    pub argv: &'a [String],
    pub dir: &'a Path,
    pub environment: &'a [(String, String)],
    pub stdin: Stdin,
}

/// What the command reads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stdin {
    Nothing,
    Piped,
}

/// A running command. Dropping it kills the whole tree.
pub(crate) struct Process {
    pub pid: u32,
    pub stdin: Option<ChildStdin>,
    pub stdout: Option<ChildStdout>,
    pub stderr: Option<ChildStderr>,
    orders: OwnedWriteHalf,
    facts: Lines<BufReader<OwnedReadHalf>>,
    shim: Child,
    end: Option<End>,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct End {
    pub code: Option<i32>,
    pub signal: Option<i32>,
}

impl Process {
    /// Starts a command under a shim.
    ///
    /// # Errors
    /// [`Error::NotStarted`] with a sentence on what is missing.
    pub(crate) async fn start(launch: Launch<'_>) -> Result<Self, Error> {
        let refused = |problem: String| Error::NotStarted { command: launch.argv.join(" "), problem };
        if launch.argv.first().is_none_or(String::is_empty) {
            return Err(refused("the command is empty".to_owned()));
        }
        if !launch.dir.is_dir() {
            return Err(refused(format!("the folder {} is not there", launch.dir.display())));
        }
        let started = start_shim(&launch).map_err(|error| refused(format!("no new process: {error}")))?;
        let (mut shim, facts, orders) = started;
        let mut facts = BufReader::new(facts).lines();
        let first = tokio::time::timeout(SPAWN_TIMEOUT, facts.next_line()).await;
        let first = first.map_err(|_| refused("its supervisor does not answer".to_owned()))?;
        let fact = first.ok().flatten().unwrap_or_default();
        if let Some(pid) = fact.strip_prefix("started ").and_then(|pid| pid.parse().ok()) {
            let (stdin, stdout, stderr) = (shim.stdin.take(), shim.stdout.take(), shim.stderr.take());
            return Ok(Self { pid, stdin, stdout, stderr, orders, facts, shim, end: None });
        }
        let _ = shim.wait().await;
        Err(refused(match fact.strip_prefix("failed ") {
            Some(problem) => explain(problem, &launch.argv[0]),
            None => "its supervisor ended at once".to_owned(),
        }))
    }

    /// SIGTERM to the command's process group.
    pub(crate) async fn terminate(&mut self) {
        // A shim that is gone has nothing left to tell.
        let _ = self.orders.write_all(&[shim::ORDER_TERMINATE]).await;
    }

    /// SIGKILL to the whole tree.
    pub(crate) async fn kill(&mut self) {
        let _ = self.orders.write_all(&[shim::ORDER_KILL]).await;
    }

    /// Waits until nothing is left of the tree. May be cancelled and called again.
    pub(crate) async fn wait(&mut self) -> End {
        while let Ok(Some(fact)) = self.facts.next_line().await {
            if let Some(end) = parse_end(&fact) {
                self.end = Some(end);
            }
        }
        let shim = self.shim.id();
        let _ = self.shim.wait().await;
        let (None, Some(shim)) = (self.end, shim) else { return self.end.unwrap_or_default() };
        // Noted before anything is awaited, so that a cancelled wait does not forget it.
        let end = *self.end.insert(End { code: None, signal: Some(nix::sys::signal::SIGKILL as i32) });
        // Somebody killed the shim. Its command died with it; the rest does where there is a group.
        if let Some(cgroup) = Cgroup::of_shim(shim) {
            cgroup.kill();
            for _ in 0..REMOVE_TRIES_MAX {
                if cgroup.remove() {
                    break;
                }
                tokio::time::sleep(REMOVE_PAUSE).await;
            }
        }
        end
    }
}

type Started = (Child, OwnedReadHalf, OwnedWriteHalf);

fn start_shim(launch: &Launch<'_>) -> io::Result<Started> {
    let (ours, theirs) = StdUnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let (facts, orders) = UnixStream::from_std(ours)?.into_split();
    let stdin = if launch.stdin == Stdin::Piped { Stdio::piped() } else { Stdio::null() };
    let mut command = Command::new(launch.shim);
    command
        .arg(shim::SHIM_ARG)
        .arg(theirs.as_raw_fd().to_string())
        .args(launch.argv)
        .current_dir(launch.dir)
        .env_clear()
        .envs(launch.environment.iter().map(|(name, value)| (name, value)))
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let birth = BIRTH.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    fcntl(&theirs, FcntlArg::F_SETFD(FdFlag::empty()))?;
    let spawned = command.spawn();
    drop(theirs);
    drop(birth);
    Ok((spawned?, facts, orders))
}

fn parse_end(fact: &str) -> Option<End> {
    let (word, number) = fact.split_once(' ')?;
    let number = number.parse().ok()?;
    match word {
        "exited" => Some(End { code: Some(number), signal: None }),
        "signalled" => Some(End { code: None, signal: Some(number) }),
        _ => None,
    }
}

fn explain(problem: &str, program: &str) -> String {
    if problem.contains("os error 2)") {
        return format!("there is no program {program:?} in the revision's folder or on the server's PATH");
    }
    if problem.contains("os error 13)") {
        return format!("{program:?} may not be executed: is it a program, and has it the x mode?");
    }
    problem.to_owned()
}

/// The program that becomes a shim: this one, even after its file was replaced by a newer one.
pub(crate) fn own_program() -> PathBuf {
    PathBuf::from("/proc/self/exe")
}
