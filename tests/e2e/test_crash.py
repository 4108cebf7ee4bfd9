"""Whatever is killed, an acknowledged run is not lost, and no side effect comes under a second key."""

import os
import signal
import threading
import unittest
from collections import defaultdict

from harness import ENDED, Case, alive, lines_of, until, write_project, write_service

RUNS = 50

LEDGER = """
import time

def effects(name):
    def make(body):
        note(os.environ["EFFECTS"], effect())
        time.sleep(float(os.environ["TAKES_S"]))
        if name == "close" or not body.get("doomed"):
            return {"id": "account of " + body["owner"]}
        raise Refuse(422, "doomed", "this one is doomed")
    return make

serve(open=effects("open"), close=effects("close"), check=effects("check"))
"""


def lending(folder, takes_s):
    effects = folder / "effects"
    who = {"owner": "string", "doomed?": "boolean"}
    ledger = write_service(
        folder, "ledger", LEDGER, environment={"EFFECTS": str(effects), "TAKES_S": str(takes_s)}, scale={"max": 2, "min": 2, "concurrency": 4},
        operations={name: {"input": who, "output": {"id": "string"}, "retry": {"attempts": 5, "delay": "100ms"}} for name in ("open", "check", "close")},
    )  # fmt: skip
    loan = {
        "input": {"owner": "string", "doomed": "boolean"},
        "steps": {
            "account": {"call": "ledger.open", "with": {"owner": "${input.owner}"}, "undo": {"call": "ledger.close", "with": {"owner": "${output.id}"}}},
            "check": {"after": ["account"], "call": "ledger.check", "with": {"owner": "${input.owner}", "doomed": "${input.doomed}"}},
        },
        "output": "${account.id}",
    }
    return write_project(folder, {"ledger": ledger}, {"loan": loan}), effects


class TheServerIsKilled(Case):
    def test_every_acknowledged_run_ends_and_repeats_carry_their_first_key(self):
        project, effects = lending(self.folder, takes_s=0.2)
        server = self.server()
        self.apply(server, project)
        started = self.start_runs_until_killed(server, effects)
        replicas_left = self.replicas
        until(lambda: not any(map(alive, replicas_left)), "the replicas of the dead server are gone", 5)

        server.start()
        print(f"\n  ready {server.ready_after_s:.2f} s after the restart, with {len(started)} acknowledged runs", flush=True)
        for key, (run, body) in started.items():
            again = server.api("POST", "/workflows/loan/runs", {"input": body, "key": key})
            self.assertEqual((again.status, again.json["id"]), (200, run), f"{key} is the run that was acknowledged")
        states = {key: server.ended(run)["state"] for key, (run, _) in started.items()}
        for key, (run, body) in started.items():
            self.assertEqual(states[key], "failed" if body["doomed"] else "succeeded", f"{key}: {server.get(f'/runs/{run}')}")

        keys, done = defaultdict(set), defaultdict(set)
        for line in lines_of(effects):
            keys[line["run"], line["step"]].add(line["key"])
            done[line["run"]].add(line["operation"])
        self.assertEqual({place: found for place, found in keys.items() if len(found) > 1}, {}, "one key for each step, however often it was tried")
        for run, body in started.values():
            self.assertEqual(done[run], {"open", "check", "close"} if body["doomed"] else {"open", "check"})
            undo = server.get(f"/runs/{run}")["undo"]
            self.assertEqual(undo, "complete" if body["doomed"] else "none")

    def start_runs_until_killed(self, server, effects):
        """Starts runs from four sides and kills the server once a third of the effects is made."""
        started, lock = {}, threading.Lock()

        def start_some(first):
            for number in range(first, RUNS, 4):
                key, body = f"loan-{number}", {"owner": f"owner {number}", "doomed": number % 5 == 0}
                try:
                    answer = server.api("POST", "/workflows/loan/runs", {"input": body, "key": key})
                except OSError:
                    return  # killed before it acknowledged
                if answer.status == 201:
                    with lock:
                        started[key] = (answer.json["id"], body)

        sides = [threading.Thread(target=start_some, args=(first,)) for first in range(4)]
        for side in sides:
            side.start()
        try:
            until(lambda: len(lines_of(effects)) >= 20, "the services have begun")
            self.replicas = server.replica_pids()
            self.assertTrue(server.replica_pids("ledger"), "the ledger runs below the server")
        finally:
            server.kill()
            for side in sides:
                side.join()
        self.assertGreater(len(started), 10)
        return started

    def test_three_times_in_a_row_and_the_run_still_ends(self):
        project, effects = lending(self.folder, takes_s=1)
        server = self.server()
        self.apply(server, project)
        run = server.begin("loan", {"owner": "ann", "doomed": False}, key="ann")["id"]
        for times in range(1, 4):
            until(lambda: len(lines_of(effects)) >= times, f"try {times} has begun")
            server.kill()
            server.start()
        self.assertEqual(server.ended(run)["state"], "succeeded")
        steps = server.steps(run)
        self.assertEqual({key: step["state"] for key, step in steps.items()}, {"account": "succeeded", "check": "succeeded"})
        self.assertEqual(len({line["key"] for line in lines_of(effects) if line["step"] == "account"}), 1)


class TheServerIsAskedToEnd(Case):
    def test_it_ends_with_all_its_replicas_and_goes_on_after_a_start(self):
        for ending in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(ending=ending.name):
                folder = self.new_folder()
                project, effects = lending(folder, takes_s=0.5)
                server = self.server()
                self.apply(server, project)
                run = server.begin("loan", {"owner": "ann", "doomed": False})["id"]
                until(lambda: lines_of(effects), "the first step is under way")
                below = server.replica_pids()
                self.assertEqual(server.stop(ending), 0, server.words())
                until(lambda: not any(map(alive, below)), "nothing is left behind", 2)
                server.start()
                self.assertEqual(server.ended(run)["state"], "succeeded")

    def test_ctrl_c_ends_dev_with_all_its_replicas(self):
        project, _ = lending(self.folder, takes_s=0)
        server = self.server("dev", project)
        until(lambda: server.replica_pids("ledger"), "dev has deployed")
        until(lambda: server.service("ledger")["state"] == "ready", "the ledger is ready")
        below = server.replica_pids()
        self.assertEqual(server.stop(signal.SIGINT), 0, server.words())
        until(lambda: not any(map(alive, below)), "nothing is left behind", 2)

    def test_a_service_that_ignores_the_request_to_end_is_killed_after_its_grace(self):
        stubborn = write_service(
            self.folder, "stubborn", "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nserve(do=lambda body: {})\n",
            stop_grace_period="1s", operations={"do": {}},
        )  # fmt: skip
        server = self.server()
        self.apply(server, write_project(self.folder, {"stubborn": stubborn}))
        below = server.replica_pids()
        self.assertTrue(below)
        server.stop()
        until(lambda: not any(map(alive, below)), "nothing is left behind", 2)


class AReplicaIsKilled(Case):
    def test_it_is_started_again_and_the_call_is_made_again_under_its_key(self):
        project, effects = lending(self.folder, takes_s=0.5)
        server = self.server()
        self.apply(server, project)
        runs = [server.begin("loan", {"owner": f"owner {number}", "doomed": False})["id"] for number in range(4)]
        victim = until(lambda: lines_of(effects), "a call is under way")[0]["pid"]
        os.kill(victim, signal.SIGKILL)
        for run in runs:
            self.assertEqual(server.ended(run)["state"], "succeeded", server.steps(run))
        keys = defaultdict(set)
        for line in lines_of(effects):
            keys[line["run"], line["step"]].add(line["key"])
        self.assertTrue(all(len(found) == 1 for found in keys.values()))
        until(lambda: server.service("ledger")["replicas"]["ready"] == 2, "a new replica stands in for the dead one")
        self.assertNotIn(victim, server.replica_pids())
        attempts = [attempt for run in runs for attempt in server.step(run, "account")["attempts"]]
        self.assertIn("unavailable", [(attempt["error"] or {}).get("kind") for attempt in attempts])


if __name__ == "__main__":
    unittest.main()
