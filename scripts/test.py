#!/usr/bin/env python3
"""Runs every check and test of the repository, or the steps that are named:  scripts/test.py [STEP…]

Each step's output is shown as it comes, with its time at the end. The steps go on after a failure,
except those that need what failed. The last line adds up what the runners counted themselves; a check
that fails, and a runner that comes to no count, is one failure.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

import counts

ROOT = Path(__file__).resolve().parent.parent
DEADLINE_S = 25 * 60  # a step that hangs must not eat the whole of CI's time
END_DEADLINE_S = 10


@dataclass
class Step:
    """One command. Without `count` it is a check: it has no tests, and fails as one."""

    name: str
    command: list
    count: Optional[Callable] = None
    needs: tuple = ()
    folder: Path = ROOT


def steps():
    python = [sys.executable, "-B"]
    # --locked stands behind the command: cargo does not hand it on to clippy and nextest.
    rust = (
        Step("rust", ["cargo", "nextest", "run", "--locked", "--workspace", "--no-fail-fast"], counts.nextest)
        if subprocess.run(["cargo", "nextest", "--version"], capture_output=True, check=False).returncode == 0
        else Step("rust", ["cargo", "test", "--locked", "--workspace", "--no-fail-fast", "--all-targets"], counts.cargo_test)
    )
    everything = [
        Step("house", [*python, "scripts/test_counts.py"], counts.unittest),
        Step("ui-build", ["make", "--no-print-directory", "ui"]),
        Step("ui-unit", ["npm", "test"], counts.vitest, ("ui-build",), ROOT / "ui"),
        Step("fmt", ["cargo", "fmt", "--all", "--check"]),
        Step("clippy", ["cargo", "clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        rust,
        # nextest runs no doc tests; `cargo test --all-targets` does not either.
        Step("rust-docs", ["cargo", "test", "--locked", "--workspace", "--doc", "--no-fail-fast"], counts.cargo_test),
        Step("services", [*python, "examples/loan-application/tests/test_services.py"], counts.unittest),
        Step("release", ["make", "--no-print-directory", "build"]),
        Step("e2e", ["scripts/test-e2e.sh"], counts.closing_line, ("release",)),
        Step("docs", [*python, "tests/docs/run_pages.py"], counts.closing_line, ("release",)),
        Step("torture", [*python, "tests/torture/torture.py", "--cycles", "100"], counts.closing_line, ("release",)),
        Step("browser", [*python, "scripts/test_browser.py"], counts.node_test, ("release",)),
    ]
    return [step for step in everything if step.name != "e2e" or (ROOT / "scripts/test-e2e.sh").exists()]


@dataclass
class Outcome:
    """What came of a step."""

    step: Step
    passed: int
    failed: int
    seconds: float
    note: str = ""


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the step that runs is ended too
    chosen = choose(steps(), sys.argv[1:])
    outcomes = []
    for step in chosen:
        broken = [outcome.step.name for outcome in outcomes if outcome.failed and outcome.step.name in step.needs]
        outcome = Outcome(step, 0, 1, 0, f"not run: {broken[0]} failed") if broken else run(step)
        outcomes.append(outcome)
    return close(outcomes)


def choose(known, names):
    unknown = sorted(set(names) - {step.name for step in known})
    if unknown:
        sys.exit(f"no step {', '.join(unknown)}; there are {' '.join(step.name for step in known)}")
    return [step for step in known if not names or step.name in names]


def run(step):
    print(f"\n=== {step.name}: {' '.join(map(str, step.command))}", flush=True)
    start = time.monotonic()
    code, text = stream(step)
    passed, failed, note = judge(step, code, text)
    seconds = time.monotonic() - start
    verdict = f"{passed} passed, {failed} failed in" if step.count else ("failed after" if failed else "ok in")
    print(f"--- {step.name}: {verdict} {seconds:.0f} s {note}".rstrip(), flush=True)
    return Outcome(step, passed, failed, seconds, note)


def judge(step, code, text):
    """What a step's exit code and output come to: (passed, failed, note)."""
    if step.count is None:
        return 0, int(code != 0), f"(exit code {code})" if code else ""
    counted = step.count(counts.plain(text))
    if counted is None:
        return 0, 1, f"(exit code {code}, no count: taken as a failure)"
    passed, failed = counted
    if code != 0 and failed == 0:
        return passed, 1, f"(exit code {code} with no test failed: taken as a failure)"
    return passed, failed, ""


def stream(step):
    """Runs a command, shows its output as it comes, and gives (exit code, output)."""
    environment = {**os.environ, "NO_COLOR": "1", "CARGO_TERM_COLOR": "never"}
    try:
        # A session of its own, so that a step that hangs can be ended with all it started.
        process = subprocess.Popen(
            step.command, cwd=step.folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        print(f"{step.command[0]} could not be started: {error}", flush=True)
        return 127, ""
    signal.signal(signal.SIGALRM, lambda *_: end(process, f"{step.name} took more than {DEADLINE_S} s"))
    signal.alarm(DEADLINE_S)
    output = bytearray()
    try:
        while chunk := process.stdout.read1(65536):
            output += chunk
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
        return process.wait(), output.decode(errors="replace")
    finally:
        signal.alarm(0)
        end(process, "interrupted")


def end(process, why):
    """Ends a step with all it started; of one that has ended by itself, what it left behind."""
    if process.poll() is None:
        print(f"{why}: ended", flush=True)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(END_DEADLINE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def close(outcomes):
    """The table of steps, then the one closing line."""
    print("\n=== all steps")
    for outcome in outcomes:
        tests = f"{outcome.passed} passed, {outcome.failed} failed" if outcome.step.count else ("failed" if outcome.failed else "ok")
        print(f"{outcome.step.name:<10} {outcome.seconds:>6.0f} s  {tests}  {outcome.note}".rstrip())
    passed = sum(outcome.passed for outcome in outcomes)
    failed = sum(outcome.failed for outcome in outcomes)
    print(f"{'all':<10} {sum(outcome.seconds for outcome in outcomes):>6.0f} s\n")
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
