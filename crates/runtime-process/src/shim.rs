//! The supervisor of one tree of processes. It runs in a process of its own and does four things: start the
//! command, pass on what the server says, reap, and leave nothing behind.
//!
//! On its control socket it hears one byte an order, and says one line a fact. The end of the socket means
//! that the server is gone, and is an order to kill.

use crate::cgroup::Cgroup;
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, FdFlag, fcntl},
    sys::{
        prctl,
        signal::{SigSet, SigmaskHow, Signal, kill, killpg, sigprocmask},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, getppid, setsid},
};
use std::{
    collections::HashMap,
    ffi::OsString,
    fs,
    io::{self, Read, Write},
    os::{
        fd::{FromRawFd, RawFd},
        unix::{net::UnixStream, process::CommandExt},
    },
    process::{Command, exit},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// The hidden first argument that makes the binary a shim.
pub const SHIM_ARG: &str = "__replica";

/// Order: SIGTERM to the process group of the command.
pub(crate) const ORDER_TERMINATE: u8 = b'T';
/// Order: SIGKILL to the whole tree.
pub(crate) const ORDER_KILL: u8 = b'K';

/// How long between two rounds of killing: processes may be forking while we look.
const KILL_PAUSE: Duration = Duration::from_millis(5);

/// How long to go on killing. Only a process that hangs in the kernel takes longer, and nobody can end that.
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// The shim's whole life. `args` are what follows [`SHIM_ARG`]: the number of the control socket, then the
/// command. It does not return.
pub fn shim_main(args: impl Iterator<Item = OsString>) -> ! {
    let mut args = args;
    let control = args.next().and_then(|fd| fd.to_str()?.parse().ok()).map(open_control);
    let Some(Ok(mut control)) = control else { exit(2) };
    let argv: Vec<OsString> = args.collect();
    // A session of its own: the signals of the server's terminal do not reach it.
    let _ = setsid();
    let _ = prctl::set_child_subreaper(true);
    let cgroup = Cgroup::of_shim(std::process::id());
    let cgroup = cgroup.filter(|cgroup| cgroup.enter().is_ok());
    let spawned = spawn(&argv);
    if let Some(cgroup) = &cgroup {
        let _ = cgroup.leave();
    }
    let tree = Tree { cgroup: Arc::new(cgroup), killing: Arc::default() };
    let main = match spawned {
        Ok(pid) => pid,
        Err(error) => {
            tree.remove();
            let _ = writeln!(control, "failed {error}");
            exit(127)
        }
    };
    let _ = writeln!(control, "started {main}");
    if let Ok(orders) = control.try_clone() {
        let tree = tree.clone();
        thread::spawn(move || obey(orders, main, &tree));
    }
    let end = reap(main, &tree);
    tree.remove();
    let _ = writeln!(control, "{end}");
    exit(0)
}

#[allow(unsafe_code)]
fn open_control(fd: RawFd) -> io::Result<UnixStream> {
    // SAFETY: the server passes the number of a socket that it opened for us and for nobody else.
    let control = unsafe { UnixStream::from_raw_fd(fd) };
    fcntl(&control, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    Ok(control)
}

/// Starts the command in its own process group. Should the shim be killed, the command dies with it.
#[allow(unsafe_code)]
fn spawn(argv: &[OsString]) -> io::Result<Pid> {
    let Some((program, args)) = argv.split_first() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the command is empty"));
    };
    let shim = Pid::this();
    let mut command = Command::new(program);
    command.args(args).process_group(0);
    let before_exec = move || {
        prctl::set_pdeathsig(Signal::SIGKILL)?;
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
        if getppid() == shim { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    };
    // SAFETY: the closure only makes system calls, allocates nothing and takes no lock.
    unsafe { command.pre_exec(before_exec) };
    // The standard streams are the server's pipes, inherited as they are.
    let child = command.spawn()?;
    Ok(Pid::from_raw(child.id().cast_signed()))
}

/// Does what the server says, until it says nothing more.
fn obey(mut orders: UnixStream, main: Pid, tree: &Tree) {
    let mut order = [0];
    loop {
        match orders.read(&mut order) {
            Ok(1) if order[0] == ORDER_TERMINATE => {
                let _ = killpg(main, Signal::SIGTERM);
            }
            Ok(1) if order[0] == ORDER_KILL => tree.start_killing(),
            Ok(1) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(_) | Err(_) => return tree.start_killing(),
        }
    }
}

/// Waits until nothing of the tree is left, and tells how the command ended. All orphans of the tree become
/// children of the shim, so "no child left" means "nobody left".
fn reap(main: Pid, tree: &Tree) -> String {
    let mut end = String::from("lost");
    let mut flags = None;
    loop {
        match waitpid(None, flags) {
            Ok(WaitStatus::Exited(pid, code)) if pid == main => end = format!("exited {code}"),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == main => {
                end = format!("signalled {}", signal as i32);
            }
            Ok(WaitStatus::StillAlive) => {
                // Something outlives the command: kill it, and from now on wait for it.
                tree.start_killing();
                flags = None;
                continue;
            }
            Ok(_) | Err(Errno::EINTR) => continue,
            Err(_) => return end,
        }
        flags = Some(WaitPidFlag::WNOHANG);
    }
}

/// What lives under this shim.
#[derive(Clone)]
struct Tree {
    cgroup: Arc<Option<Cgroup>>,
    killing: Arc<AtomicBool>,
}

impl Tree {
    /// Kills everything, again and again until the shim ends: what is forked meanwhile dies too.
    fn start_killing(&self) {
        if self.killing.swap(true, Ordering::SeqCst) {
            return;
        }
        let tree = self.clone();
        thread::spawn(move || {
            let began = Instant::now();
            while began.elapsed() < KILL_LIMIT {
                if let Some(cgroup) = &*tree.cgroup {
                    cgroup.kill();
                }
                for pid in descendants(std::process::id()) {
                    let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
                }
                thread::sleep(KILL_PAUSE);
            }
            exit(1)
        });
    }

    fn remove(&self) {
        if let Some(cgroup) = &*self.cgroup {
            let _ = cgroup.remove();
        }
    }
}

/// All processes under this one, from the parents that `/proc` tells.
fn descendants(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some(parent) = parent_of(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = children.remove(&root).unwrap_or_default();
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        found.extend(children.remove(pid).unwrap_or_default());
        next += 1;
    }
    found
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may itself hold any character.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(1)?.parse().ok()
}
