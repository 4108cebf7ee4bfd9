#!/usr/bin/env python3
"""The loan application on a dozen pay stubs: what `make demo` shows once all is built.

Starts `consort dev` with fresh data, runs every case of the example with live progress, and sets each
decision beside the one that the example's README promises. On a terminal it stays up until Ctrl-C;
without one it ends by itself. Exit code 1 if a decision differs.
"""

import json
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from devserver import DEFAULT_PORT, ROOT, DevServer, ServerError

EXAMPLE = ROOT / "examples" / "loan-application"
WORKFLOW = "loan-application"
AT_ONCE = 4
RUN_DEADLINE = "5m"

printing = threading.Lock()
watchers = set()  # every `consort run` that goes on


def main():
    for ending in (signal.SIGTERM, signal.SIGHUP):  # so that `with` ends what was started
        signal.signal(ending, lambda number, _: sys.exit(128 + number))
    cases = json.loads((EXAMPLE / "cases.json").read_text())
    try:
        with DevServer(EXAMPLE, port=DEFAULT_PORT) as server:
            return show(server, cases)
    except ServerError as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def show(server, cases):
    say(f"consort dev is at {server.url}; its services are set up, which takes a minute the first time")
    server.wait_until_deployed(WORKFLOW, tell=lambda status: say(f"  {status}"))
    stubs = server.folder / "stubs"
    subprocess.run([sys.executable, EXAMPLE / "generate.py", "--cases", "--out", stubs], check=True, stdout=subprocess.DEVNULL)

    say(f"\n{len(cases)} pay stubs, {AT_ONCE} at a time:\n")
    results = run_all(server, stubs, cases)

    print_table(results)
    print_retries(results)
    print_undone(results)
    different = [result for result in results if result.differences()]
    for result in different:
        say(f"\nDIFFERENT: {result.case['name']}: {'; '.join(result.differences())}")
    say(f"\n{len(results) - len(different)} of {len(results)} as expected. The page: {server.url}/")
    say("".join(f"A run: {server.url}/runs/{result.run['id']}" for result in results[-1:] if result.run))
    if sys.stdin.isatty():
        stay(server)
    return 1 if different else 0


def stay(server):
    say("Ctrl-C ends the server and every service.")
    try:
        server.process.wait()
        say(f"consort dev ended by itself:\n{server.last_words()}")
    except KeyboardInterrupt:
        say("\nstopping")


@dataclass
class Result:
    """What became of a case."""

    case: dict
    run: dict = field(default_factory=dict)
    steps: list = field(default_factory=list)
    journal: list = field(default_factory=list)
    trouble: str = ""

    def seen(self):
        """In the shape of `expected` in cases.json."""
        output = self.run.get("output") or {}
        return {
            "state": self.run.get("state"),
            "approved": output.get("approved"),
            "reason": output.get("reason"),
            "code": (self.run.get("error") or {}).get("code"),
            "ledger": [entry["action"] for entry in self.journal],
            "notice": any(step["key"] == "notice" and step["state"] == "succeeded" for step in self.steps),
        }

    def expected(self):
        expected = self.case["expected"]
        return {
            "state": expected["state"],
            "approved": expected.get("approved"),
            "reason": expected.get("reason"),
            "code": expected.get("error", {}).get("code"),
            "ledger": expected["ledger"],
            "notice": expected["notice"],
        }

    def differences(self):
        if self.trouble:
            return [self.trouble]
        seen, expected = self.seen(), self.expected()
        found = [f"{key} is {seen[key]!r}, expected {value!r}" for key, value in expected.items() if seen[key] != value]
        opened = [entry["account"] for entry in self.journal if entry["action"] == "open"]
        if len(set(opened)) != len(opened):
            found.append("the ledger opened one account twice")
        return found


def run_all(server, stubs, cases):
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        return list(pool.map(lambda case: run_case(server, stubs, case), cases))
    finally:  # also when we are told to stop in the middle of it
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list(watchers):
            process.kill()


def run_case(server, stubs, case):
    """Runs a case to its end; a mistake on the way is its `trouble`, so that the others go on."""
    result = Result(case)
    try:
        result.run = run(server, stubs, case)
        result.steps = all_steps(server, result.run["id"])
        result.journal = journal(server, case["applicant"])
    except (ServerError, OSError, ValueError, KeyError, TypeError) as error:
        result.trouble = f"{error}" or type(error).__name__
    return result


def run(server, stubs, case):
    command = [
        server.binary, "run", WORKFLOW, "--json", f"--wait={RUN_DEADLINE}",
        "-i", f"applicant={case['applicant']}", "-i", f"document=@{stubs / case['file']}", "-i", f"declared={case['declared']}",
    ]  # fmt: skip
    process = subprocess.Popen(
        list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=server.environment(), cwd=server.project,
    )  # fmt: skip
    watchers.add(process)
    progress = threading.Thread(target=relay, args=(process.stderr, case["name"]))
    progress.start()
    try:
        lines = process.stdout.read().splitlines()
        code = process.wait()
    finally:
        process.kill()
        process.wait()
        watchers.discard(process)
        progress.join()
    if code not in (0, 1) or not lines:  # 0 and 1 tell how the run ended; the rest is no run, or no end
        raise ServerError(f"consort run ended with code {code}")
    return json.loads(lines[-1])


def relay(stream, name):
    for line in stream:
        say(f"  {name:<18}{line.rstrip()}")


def all_steps(server, run_id):
    steps, cursor = [], ""
    while cursor is not None:
        page = server.get(f"/runs/{run_id}/steps?limit=500{cursor and '&cursor=' + cursor}")
        if page is None:
            raise ServerError(f"the steps of {run_id} cannot be read")
        steps += page["items"]
        cursor = page["next_cursor"]
    return steps


def journal(server, owner):
    called = server.command("services", "call", "ledger.journal", "-i", f"owner={owner}")
    if called.returncode != 0:
        raise ServerError(f"the ledger's journal cannot be read: {called.stderr.strip()}")
    return json.loads(called.stdout)["entries"]


def print_table(results):
    head = ["case", "run", "decision", "expected", "ledger", "told", ""]
    rows = [row(result) for result in results]
    widths = [max(len(cells[column]) for cells in [head, *rows]) for column in range(len(head))]
    say("")
    for cells in [head, ["-" * width for width in widths], *rows]:
        say("  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip())


def row(result):
    seen, expected = result.seen(), result.expected()
    verdict = "DIFFERENT" if result.differences() else "ok"
    told = "yes" if seen["notice"] else "no"
    return [result.case["name"], seen["state"] or "-", decision(seen), decision(expected), ", ".join(seen["ledger"]) or "-", told, verdict]


def decision(end):
    if end["reason"]:
        return f"{'approved' if end['approved'] else 'declined'}: {end['reason']}"
    return f"none: {end['code']}" if end["code"] else "-"


def print_retries(results):
    for result in results:
        for step in result.steps:
            first = next((a["error"] for a in step["attempts"] if a.get("error")), None)
            if len(step["attempts"]) > 1 and step["state"] == "succeeded" and first:
                say(f"\nA retry: {step['key']} of {result.case['name']} took {len(step['attempts'])} attempts; the first: {first['message']}")
                return


def print_undone(results):
    undone = [result for result in results if any(entry["action"] == "close" for entry in result.journal)]
    for result in undone:
        say(f"\nThe ledger's journal of {result.case['name']} ({result.case['applicant']}):")
        for entry in result.journal:
            say(f"  {entry['at']}  {entry['action']:<5}  {entry['account']}")


def say(text):
    with printing:
        print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
