#!/usr/bin/env python3
"""Kills the server again and again, in every way there is, and joins what clients were told with what services saw.

    tests/torture/torture.py [--cycles 100] [--seed 1] [--at-once 8]

Each cycle starts runs from several sides under idempotency keys, breaks something, and starts the server again.
At the end every acknowledged run must be there, once, and have ended as its input says; every effect must have
come under one key; every undo must have come, once and in reverse. The closing line counts cycles and checks.
A failing seed prints itself; the data folder of a failure is kept and named.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))

import project  # noqa: E402
from harness import ENDED, Server, alive, until  # noqa: E402
from outside import Outside  # noqa: E402

# As crates/node/src/fail_points.rs has them; `forgetting` has its own test, nothing is old enough here.
FAIL_POINTS = ("decided", "before-commit", "committed", "acting", "before-send", "answered", "recovering")
ENDS_WITHIN_S = 120
DIES_WITHIN_S = 10


class Clients:
    """Callers that start runs and remember what was acknowledged; an unanswered start is asked for again."""

    def __init__(self, chance):
        self.chance, self.lock = chance, threading.Lock()
        self.numbers = 0
        self.asked = {}  # key -> (workflow, body): sent, perhaps not answered
        self.told = {}  # key -> run: acknowledged

    def new(self):
        with self.lock:
            self.numbers += 1
            workflow = self.chance.choice(sorted(project.WORKFLOWS))
            key = f"{workflow}-{self.numbers}"
            self.asked[key] = (workflow, project.body_of(workflow, self.numbers))
            return key

    def start(self, server, key):
        workflow, body = self.asked[key]
        answer = server.api("POST", f"/workflows/{workflow}/runs", {"input": body, "key": key})
        if answer.status in (200, 201):
            with self.lock:
                known = self.told.setdefault(key, answer.json["id"])
            if known != answer.json["id"]:
                raise AssertionError(f"{key} is {known} and {answer.json['id']}")
        return answer.status

    def work(self, server, count):
        """Starts runs until enough are started or the server is gone."""
        for _ in range(count):
            try:
                self.start(server, self.new())
            except OSError:
                return

    def ask_again(self, server):
        for key in [key for key in self.asked if key not in self.told]:
            status = self.start(server, key)
            if status not in (200, 201):
                raise AssertionError(f"a repeated start of {key} was answered {status}")


class Torture:
    def __init__(self, options):
        self.options, self.chance = options, random.Random(options.seed)
        self.folder = Path(tempfile.mkdtemp(prefix="consort-torture-"))
        self.outside = Outside()
        self.server = Server(self.folder)
        self.clients = Clients(random.Random(options.seed + 1))
        self.faults, self.slowest_s = defaultdict(int), 0.0

    def prepare(self):
        place = project.write(self.folder / "project", self.outside.url)
        self.start()
        applied = self.server.cli("apply", place)
        if applied.returncode != 0:
            raise AssertionError(applied.stdout + applied.stderr)

    def start(self, fail_point=None):
        self.server.environment.pop("CONSORT_FAIL_POINT", None)
        if fail_point:
            self.server.environment["CONSORT_FAIL_POINT"] = fail_point
        self.server.start()
        self.slowest_s = max(self.slowest_s, self.server.ready_after_s)

    def cycle(self, number):
        ways = [self.killed, self.killed, self.dies_at_a_fail_point, self.dies_at_a_fail_point, self.replica_stopped, self.replica_killed, self.told_to_end]
        way = ways[number % len(ways)]
        self.faults[way.__name__] += 1
        way()
        if not self.is_up():
            self.start()
        for key, run in list(self.clients.told.items())[-20:]:
            answer = self.server.api("GET", f"/runs/{run}")
            if answer.status != 200:
                raise AssertionError(f"{key} was acknowledged as {run}; GET says {answer.status}")

    def is_up(self):
        return self.server.process.poll() is None

    def with_load(self, then):
        """Breaks something while callers start runs."""
        sides = [threading.Thread(target=self.clients.work, args=(self.server, self.options.at_once)) for _ in range(4)]
        for side in sides:
            side.start()
        try:
            then()
        finally:
            for side in sides:
                side.join()

    def killed(self):
        delay = self.chance.random() * 0.5

        def then():
            time.sleep(delay)  # the fault itself, not a wait for something
            left = self.server.replica_pids()
            self.server.kill()
            until(lambda: not any(map(alive, left)), "the replicas of the dead server are gone", 5)

        self.with_load(then)

    def dies_at_a_fail_point(self):
        point = FAIL_POINTS[self.faults["dies_at_a_fail_point"] % len(FAIL_POINTS)]
        number = 1 if point == "recovering" else self.chance.randint(1, 60)
        self.faults[f"fail point {point}"] += 1
        self.server.kill()
        try:
            self.start(f"{point}:{number}")
        except AssertionError:
            return  # dead before it was ready: that is what was asked for
        except OSError:
            return

        def dead():
            return not self.is_up()

        def then():
            end = time.monotonic() + DIES_WITHIN_S
            while not dead() and time.monotonic() < end:
                self.clients.work(self.server, 2)
            if not dead() and point != "recovering":
                raise AssertionError(f"the place {point}:{number} was never reached")

        self.with_load(then)

    def replica_stopped(self):
        def then():
            for pid in self.server.replica_pids("own")[:2]:
                os.kill(pid, signal.SIGSTOP)
                time.sleep(0.3)
                os.kill(pid, signal.SIGCONT)

        self.with_load(then)

    def replica_killed(self):
        def then():
            for pid in self.server.replica_pids("own")[:1]:
                os.kill(pid, signal.SIGKILL)

        self.with_load(then)

    def told_to_end(self):
        def then():
            if self.server.stop() not in (0, None):
                raise AssertionError(f"it ended with {self.server.process.returncode}\n{self.server.words()}")

        self.with_load(then)

    def close(self, failed):
        if self.server.process and self.is_up():
            self.server.kill()
        self.outside.close()
        if failed:
            print(f"kept: {self.folder}", flush=True)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


class Judge:
    """Joins the three records: what clients were told, what the server has, what the service saw."""

    def __init__(self, torture):
        self.server, self.clients, self.outside = torture.server, torture.clients, torture.outside
        self.runs = {}

    def every_run_ends_as_its_input_says(self):
        for key, run in self.clients.told.items():
            workflow, body = self.clients.asked[key]
            ended = until(lambda: self.ended(run), lambda: f"{key} has ended: {self.server.get(f'/runs/{run}')}", ENDS_WITHIN_S)
            self.runs[run] = (workflow, body, ended)
            expect(ended["state"], project.ENDS[workflow](body), f"{key} {run}: {ended['error']}")
            expect(ended["waiting_on"], None, f"{key}: one that has ended waits for nothing")

    def ended(self, run):
        found = self.server.get(f"/runs/{run}")
        return found if found["state"] in ENDED else None

    def there_is_one_run_for_each_key(self):
        listed, cursor = set(), None
        while True:
            page = self.server.get("/runs", limit=500, **({"cursor": cursor} if cursor else {}))
            listed |= {run["id"] for run in page["items"]}
            cursor = page["next_cursor"]
            if not cursor:
                break
        expect(listed, set(self.clients.told.values()), "the list has each acknowledged run, and no other")
        expect(len(set(self.clients.told.values())), len(self.clients.told), "no run has two keys")

    def every_effect_has_one_key(self):
        keys = defaultdict(set)
        for call in self.outside.calls:
            # A clean pass is a new execution, with a key of its own.
            if self.runs[call["run"]][0] != "clean":
                keys[call["run"], call["step"], call["operation"]].add(call["key"])
        expect({place: found for place, found in keys.items() if len(found) > 1}, {}, "one key for each step, however often it was tried")

    def outputs_are_what_the_service_answered(self):
        for run, (workflow, body, ended) in self.runs.items():
            if workflow == "turns":
                expect(ended["output"], body["n"] + 4, f"{run}: four turns")
            elif ended["state"] == "succeeded":
                opened = {self.outside.answers[call["key"]]["id"] for call in self.of(run, "open") if call["step"] == "account"}
                expect(ended["output"] in opened, True, f"{run}: {ended['output']} is one of {opened}")

    def of(self, run, *operations):
        return [call for call in self.outside.calls if call["run"] == run and call["operation"] in operations]

    def what_was_opened_is_closed_once_and_in_reverse(self):
        for run, (workflow, _, ended) in self.runs.items():
            if workflow == "turns" or (workflow == "loan" and ended["state"] == "succeeded"):
                expect(self.of(run, "close"), [], f"{run}: nothing to undo")
                continue
            opened = list(dict.fromkeys(self.outside.answers[call["key"]]["id"] for call in self.of(run, "open")))
            closed = list(dict.fromkeys(call["input"]["id"] for call in self.of(run, "close")))
            kept = [ended["output"]] if workflow == "clean" else []
            expect(sorted(closed + kept), sorted(opened), f"{run}: what was opened is closed")
            expect(ended["undo"] in ("complete", "none"), True, f"{run}: undo is {ended['undo']}")
            if workflow == "loan":
                expect(closed[-1], opened[0], f"{run}: the account was opened first and is closed last")

    def the_history_of_each_run_is_whole(self):
        for run, (_, _, ended) in self.runs.items():
            entries = self.server.get(f"/runs/{run}/history", limit=500)["items"]
            expect(len(entries) > 0, True, f"{run} has a history")
            steps = self.server.get(f"/runs/{run}/steps", limit=500)["items"]
            open_ = [step["key"] for step in steps if step["state"] in ("ready", "running", "waiting")]
            expect(open_, [], f"{run} is {ended['state']}: nothing in it goes on")

    def the_store_is_whole(self):
        said = self.server.cli("doctor", "--data", self.server.data)
        expect(said.returncode, 0, said.stdout + said.stderr)

    CHECKS = (
        every_run_ends_as_its_input_says, there_is_one_run_for_each_key, every_effect_has_one_key, outputs_are_what_the_service_answered,
        what_was_opened_is_closed_once_and_in_reverse, the_history_of_each_run_is_whole, the_store_is_whole,
    )  # fmt: skip


def expect(found, wanted, what):
    if found != wanted:
        raise AssertionError(f"{what}: {found!r}, not {wanted!r}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    parser.add_argument("--at-once", type=int, default=8, help="runs that each of four callers starts in a cycle")
    options = parser.parse_args()
    torture = Torture(options)
    passed, failed = 0, []
    print(f"torture: seed {options.seed}, {options.cycles} cycles", flush=True)
    begun = time.monotonic()
    try:
        torture.prepare()
        for number in range(options.cycles):
            torture.cycle(number)
            passed += 1
        torture.clients.ask_again(torture.server)
        judge = Judge(torture)
        for check in Judge.CHECKS:
            check(judge)
            passed += 1
    except AssertionError as error:
        failed.append(error)
        print(f"FAILED with --seed {options.seed}, after {passed} cycles and checks: {error}", flush=True)
    finally:
        torture.close(bool(failed))
    faults = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in sorted(torture.faults.items()))
    print(f"{len(torture.clients.told)} acknowledged runs, {len(torture.outside.calls)} calls seen; {faults}", flush=True)
    print(f"slowest start {torture.slowest_s:.2f} s, {time.monotonic() - begun:.0f} s in all", flush=True)
    print(f"{passed} passed, {len(failed)} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
