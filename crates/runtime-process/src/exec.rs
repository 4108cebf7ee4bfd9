//! One process for one call.

use crate::{
    environment,
    lines::Lines,
    process::{Launch, Process, Stdin},
    runtime::ProcessRuntime,
};
use bytes::{Bytes, BytesMut};
use consort_runtime::{BoxFuture, Error, Exec, ExecEnd, ExecSpec, LogSink, LogStream, Masker};
use futures_util::FutureExt;
use std::{future::pending, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::ChildStdin,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

/// How much is read from a pipe at once, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// How long the rest of its output may take to be read once all its processes have ended.
const LAST_OUTPUT_TIMEOUT: Duration = Duration::from_secs(5);

impl Exec for ProcessRuntime {
    fn exec<'a>(
        &'a self,
        spec: ExecSpec,
        log: LogSink,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<ExecEnd, Error>> {
        Box::pin(self.run_call(spec, log, cancel))
    }
}

impl ProcessRuntime {
    async fn run_call(
        &self,
        spec: ExecSpec,
        log: LogSink,
        cancel: &CancellationToken,
    ) -> Result<ExecEnd, Error> {
        let environment = environment::with_inherited(&[&spec.environment, &spec.secrets]);
        let argv = spec.command.argv();
        let launch = Launch {
            shim: &self.place.config.shim,
            argv: &argv,
            dir: &spec.dir,
            environment: &environment,
            stdin: Stdin::Piped,
        };
        let mut process = Process::start(launch).await?;
        let masker = Masker::new(spec.secrets.iter().map(|(_, value)| value.as_str()));
        let (stdin, stdout, stderr) = (process.stdin.take(), process.stdout.take(), process.stderr.take());
        let talk = async {
            // Too much output ends all three at once: what is not read any more blocks the process.
            let all = tokio::try_join!(
                feed(stdin, spec.stdin.clone()).map(Ok),
                gather(stdout, spec.stdout_bytes_max),
                listen(stderr, &masker, &log).map(Ok),
            );
            all.map(|((), stdout, ())| stdout)
        };
        let mut call = Call { process, spec: &spec, ended_by_us: None, kill_at: None };
        call.until_end(talk, cancel).await
    }
}

/// More came out than may.
struct TooMuch;

/// A running call and how far its end has been asked for.
struct Call<'a> {
    process: Process,
    spec: &'a ExecSpec,
    ended_by_us: Option<ExecEnd>,
    kill_at: Option<Instant>,
}

impl Call<'_> {
    async fn until_end(
        &mut self,
        talk: impl Future<Output = Result<Bytes, TooMuch>>,
        cancel: &CancellationToken,
    ) -> Result<ExecEnd, Error> {
        tokio::pin!(talk);
        let mut heard = None;
        let end = loop {
            let kill_at = self.kill_at;
            let grace_over = async move {
                match kill_at {
                    Some(at) => sleep_until(at).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                end = self.process.wait() => break end,
                said = &mut talk, if heard.is_none() => {
                    if said.is_err() {
                        self.end(ExecEnd::TooMuchOutput).await;
                    }
                    heard = Some(said);
                }
                () = cancel.cancelled(), if self.ended_by_us.is_none() => self.ask_to_end().await,
                () = grace_over => {
                    self.kill_at = None;
                    self.process.kill().await;
                }
            }
        };
        // All its processes are dead, so the pipes end; should one have escaped, it is not waited for.
        let said = match heard {
            Some(said) => said,
            None => timeout(LAST_OUTPUT_TIMEOUT, talk).await.unwrap_or(Ok(Bytes::new())),
        };
        Ok(match (self.ended_by_us.take(), said) {
            (Some(end), _) => end,
            (None, Err(TooMuch)) => ExecEnd::TooMuchOutput,
            (None, Ok(stdout)) => ExecEnd::Exited { code: end.code, signal: end.signal, stdout },
        })
    }

    async fn end(&mut self, end: ExecEnd) {
        self.ended_by_us.get_or_insert(end);
        self.process.kill().await;
    }

    async fn ask_to_end(&mut self) {
        self.ended_by_us = Some(ExecEnd::Cancelled);
        self.process.terminate().await;
        self.kill_at = Some(Instant::now() + self.spec.stop_grace);
    }
}

/// Gives the input. A process that does not read it all is free not to.
async fn feed(pipe: Option<ChildStdin>, input: Bytes) {
    if let Some(mut pipe) = pipe {
        let _ = pipe.write_all(&input).await;
    }
}

/// All that comes from a pipe, or nothing when it is more than it may be.
async fn gather(pipe: Option<impl AsyncRead + Unpin>, bytes_max: usize) -> Result<Bytes, TooMuch> {
    let mut all = BytesMut::new();
    let Some(mut pipe) = pipe else { return Ok(Bytes::new()) };
    loop {
        all.reserve(CHUNK_BYTES);
        match pipe.read_buf(&mut all).await {
            Ok(0) | Err(_) => return Ok(all.freeze()),
            Ok(_) if all.len() > bytes_max => return Err(TooMuch),
            Ok(_) => {}
        }
    }
}

async fn listen(pipe: Option<impl AsyncRead + Unpin>, masker: &Masker, log: &LogSink) {
    let Some(mut pipe) = pipe else { return };
    let mut lines = Lines::default();
    let mut emit = |line: String| log(LogStream::Stderr, &masker.mask(&line));
    let mut chunk = vec![0; CHUNK_BYTES];
    while let Ok(read @ 1..) = pipe.read(&mut chunk).await {
        lines.push(&chunk[..read], &mut emit);
    }
    lines.finish(&mut emit);
}
