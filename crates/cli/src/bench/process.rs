//! The processes that are measured.

use crate::{failure::Failure, serve::Durability};
use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// A process on this machine is there within this.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How often one that is starting is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Clock ticks of `/proc/PID/stat` a second: 100 on every Linux (`USER_HZ`).
const TICKS_PER_SECOND: u64 = 100;

/// The first argument that makes the binary an echo.
pub const ECHO_ARG: &str = "__echo";

/// A process that ends with its handle.
pub(super) struct Process {
    child: Child,
    /// Where it listens.
    pub url: String,
    /// Holds the file in which an echo tells its address.
    _folder: Option<tempfile::TempDir>,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    /// CPU time so far, of user and system; zero where the system does not tell.
    pub fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        // The name may hold spaces; what follows its bracket does not. utime and stime are fields 14 and 15.
        let fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ').skip(11).take(2);
        let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND)
    }

    /// Resident memory now; zero where the system does not tell.
    pub fn rss_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1_024
    }
}

/// Starts an echo.
///
/// # Errors
/// When it does not come up.
pub(super) async fn echo() -> Result<Process, Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::usage(format!("no folder: {error}")))?;
    let told = folder.path().join("address");
    let mut process = start(&[ECHO_ARG.as_ref(), told.as_os_str()])?;
    process.url =
        wait(&mut process, || fs::read_to_string(&told).ok().filter(|text| text.ends_with('\n'))).await?;
    process.url = format!("http://{}", process.url.trim());
    process._folder = Some(folder);
    Ok(process)
}

/// Starts a server with a new data folder.
///
/// # Errors
/// When it does not come up.
pub(super) async fn server(data: &Path, durability: Durability) -> Result<Process, Failure> {
    let port = free_port().map_err(|error| Failure::usage(format!("no free port: {error}")))?;
    let durability = match durability {
        Durability::Full => "full",
        Durability::Relaxed => "relaxed",
    };
    let listen = format!("127.0.0.1:{port}");
    let arguments = ["server", "--data"].map(AsRef::as_ref);
    let rest = ["--listen", &listen, "--durability", durability].map(AsRef::as_ref);
    let mut process = start(&[&arguments[..], &[data.as_os_str()], &rest[..]].concat())?;
    process.url = format!("http://{listen}");
    let client = consort_client::Client::new(&process.url)?;
    let deadline = Instant::now() + READY_WITHIN;
    while client.ready().await.is_err() {
        look(&mut process, deadline)?;
        sleep(LOOK_EVERY).await;
    }
    Ok(process)
}

fn start(arguments: &[&std::ffi::OsStr]) -> Result<Process, Failure> {
    let this = std::env::current_exe();
    let this: PathBuf = this.map_err(|error| Failure::usage(format!("this program is nowhere: {error}")))?;
    let child = Command::new(this).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    let child = child.map_err(|error| Failure::usage(format!("a process cannot be started: {error}")))?;
    Ok(Process { child, url: String::new(), _folder: None })
}

async fn wait<T>(process: &mut Process, there: impl Fn() -> Option<T>) -> Result<T, Failure> {
    let deadline = Instant::now() + READY_WITHIN;
    loop {
        if let Some(found) = there() {
            return Ok(found);
        }
        look(process, deadline)?;
        sleep(LOOK_EVERY).await;
    }
}

fn look(process: &mut Process, deadline: Instant) -> Result<(), Failure> {
    match process.child.try_wait() {
        Ok(None) if Instant::now() < deadline => Ok(()),
        Ok(None) => Err(Failure::usage("a process of the bench did not get ready within 30 s")),
        Ok(Some(status)) => Err(Failure::usage(format!("a process of the bench ended: {status}"))),
        Err(error) => Err(Failure::usage(format!("a process of the bench is lost: {error}"))),
    }
}

/// Free now; somebody else may take it before the server does, which then says so.
fn free_port() -> io::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Tells whoever started this echo where it listens, whole or not at all.
pub(super) fn tell_address(path: &Path, address: SocketAddr) -> io::Result<()> {
    let half = path.with_extension("half");
    fs::write(&half, format!("{address}\n"))?;
    fs::rename(half, path)
}
