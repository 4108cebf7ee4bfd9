//! What the `consort` binary does when it is called as `consort __replica`, for tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|arg| arg == consort_runtime_process::SHIM_ARG) {
        consort_runtime_process::shim_main(args);
    }
    ExitCode::from(2)
}
