"""What runs share: the limit of their workflow, its line, and the results of calls, also across `kill -9`."""

import unittest

from harness import Case, lines_of, until, write_project, write_service

SOURCE = """
import os, time

def slow(input):
    note(os.environ["NOTES"], input)
    while not os.path.exists(os.environ["GATE"]):
        time.sleep(0.02)
    if input.get("fails") and len(open(os.environ["NOTES"]).readlines()) == 1:
        raise Refuse(422, "BAD", "not this time")
    return {"n": input["n"]}

def undo(input):
    note(os.environ["NOTES"], {"undo": input["n"]})
    return {}

serve(slow=slow, undo=undo)
"""

INPUT = {"n": "number"}
CALL = {"call": "work.slow", "with": {"n": "${input.n}"}}


class Sharing(Case):
    def begin(self, workflows, service=None):
        """A server with a service that notes each call, and answers once the gate is open."""
        self.notes, self.gate = self.folder / "notes", self.folder / "gate"
        definition = write_service(
            self.folder, "work", SOURCE, environment={"NOTES": str(self.notes), "GATE": str(self.gate)},
            operations={
                "slow": {"input": {"n": "number", "fails?": "boolean"}, "output": {"n": "number"}},
                "undo": {"input": {"n": "number"}},
            }, **(service or {}),
        )  # fmt: skip
        self.services = {"work": definition}
        write_project(self.folder, self.services, workflows)
        server = self.server()
        self.apply(server, self.folder)
        return server

    def calls(self):
        return lines_of(self.notes)

    def test_a_line_outlives_the_server_and_a_new_limit_holds_at_once(self):
        held = {"input": {"who": "string"}, "timeout": "1h", "tags": {"who": "${input.who}"}, "steps": {"go": {"await": {"signal": "go"}}}}
        limited = {**held, "concurrency": {"limit": 1, "key": "${input.who}"}}
        server = self.begin({"one": limited})
        runs = [server.begin("one", {"who": "ann"})["id"] for _ in range(4)]
        other = server.begin("one", {"who": "ben"})
        server.reaches(other["id"], "waiting")
        last = server.reaches(runs[3], "queued")
        self.assertIsNone(last["started_at"])
        self.assertEqual((last["waiting_on"]["kind"], last["waiting_on"]["name"], last["waiting_on"]["ahead"]), ("limit", "one", 2))
        self.assertIn('1 run of `one` for "ann" is live, and its `concurrency` allows 1; 2 runs are ahead', last["waiting_on"]["detail"])
        until(lambda: len(server.get("/runs", state="queued", waiting_on="limit", tag="who=ann")["items"]) == 3, "three in the list")
        listed = lambda **query: [run["id"] for run in server.get("/runs", **query)["items"]]
        for query in ({"workflow": "one", "state": "queued"}, {"tag": "who", "state": "queued"}, {"q": "who=ann", "waiting_on": "limit"}):
            self.assertEqual(sorted(listed(**query)), sorted(runs[1:]), query)
        begun = server.get(f"/runs/{runs[0]}")["created_at"]
        self.assertEqual((listed(until=begun), len(listed(since=begun))), ([], 5))
        self.assertEqual(listed(tag="who=ben"), [other["id"]])
        shown = server.cli("runs", "show", runs[3])
        self.assertIn("2 runs are ahead", shown.stdout)

        server.kill()
        server.start()
        self.assertEqual([server.get(f"/runs/{run}")["state"] for run in runs], ["waiting", "queued", "queued", "queued"])
        self.assertEqual(server.act(runs[1], "cancel").status, 200)
        server.reaches(runs[1], "cancelled")
        self.assertEqual(server.get(f"/runs/{runs[3]}")["waiting_on"]["ahead"], 1)
        server.act(runs[0], "signals/go")
        server.reaches(runs[2], "waiting")
        self.assertIsNotNone(server.get(f"/runs/{runs[2]}")["started_at"])
        self.assertEqual(server.get(f"/runs/{runs[3]}")["waiting_on"]["ahead"], 0)
        write_project(self.folder, self.services, {"one": {**held, "concurrency": {"limit": 5, "key": "${input.who}"}}})
        self.apply(server, self.folder)
        server.reaches(runs[3], "waiting")
        self.assertEqual(server.get("/workflows/one")["concurrency"], {"limit": 5, "key": "${input.who}", "when_full": "queue"})

    def test_a_full_limit_refuses_or_replaces(self):
        steps = {"a": {**CALL, "undo": {"call": "work.undo", "with": {"n": "${input.n}"}}}, "go": {"after": ["a"], "await": {"signal": "go"}}}
        server = self.begin({
            "strict": {"input": INPUT, "concurrency": {"limit": 1, "when_full": "reject"}, "steps": steps},
            "newest": {"input": INPUT, "concurrency": {"limit": 1, "when_full": "cancel_oldest"}, "steps": steps},
        })  # fmt: skip
        self.gate.touch()
        first = server.begin("strict", {"n": 1})
        refused = server.api("POST", "/workflows/strict/runs", {"input": {"n": 2}})
        self.assertProblem(refused, 429, "E_LIMIT_FULL")
        self.assertTrue(refused.headers["Retry-After"].isdigit())
        self.assertEqual(server.cli("run", "strict", "-i", "n=2").returncode, 6)
        server.act(first["id"], "cancel")
        server.ended(first["id"])
        server.reaches(server.begin("strict", {"n": 3})["id"], "waiting")

        old = server.begin("newest", {"n": 7})["id"]
        server.reaches(old, "waiting")
        new = server.begin("newest", {"n": 8})["id"]
        server.reaches(new, "waiting")
        old = server.get(f"/runs/{old}")
        self.assertEqual((old["state"], old["undo"]), ("cancelled", "complete"))
        self.assertIn("for a newer run", old["error"]["message"])
        sevens = [call for call in self.calls() if 7 in call.values() or 8 in call.values()]
        self.assertEqual(sevens, [{"n": 7}, {"undo": 7}, {"n": 8}], "the new one starts when the old one is undone")

    def test_equal_calls_are_made_once_and_their_result_outlives_the_server(self):
        cached = {"input": INPUT, "steps": {"a": {**CALL, "cache": {"for": "1h"}}}}
        each = {"for_each": "${input.ns}", "call": "work.slow", "with": {"n": "${item}"}, "cache": {"for": "1h"}}
        server = self.begin({"one": cached, "all": {"input": {"ns": ["number"]}, "steps": {"each": each}}})
        runs = [server.begin("one", {"n": 1})["id"] for _ in range(3)]
        until(lambda: self.calls(), "the first one calls")
        waits = until(lambda: [run for run in runs if (server.step(run, "a")["waiting_on"] or {}).get("kind") == "cache"][1:] and True, "two wait for it")
        self.assertTrue(waits)
        # The call is made again after the restart, as any call; the others still wait for it.
        server.kill()
        self.gate.touch()
        server.start()
        ended = [server.ended(run) for run in runs]
        self.assertEqual([run["output"] for run in ended], [{"a": {"n": 1}}] * 3)
        self.assertEqual(len(self.calls()), 2, "one call, made again for the crash")
        said = [server.step(run, "a")["cached"] for run in runs]
        self.assertEqual(sorted(it["hit"] for it in said), [False, True, True])
        miss = next(it for it in said if not it["hit"])
        self.assertEqual(miss["why"], "no_entry")
        caller = runs[said.index(miss)]
        hit = next(it for it in said if it["hit"])
        self.assertEqual((hit["run"], hit["step"]), (caller, "a"))
        self.assertLess(hit["at"], hit["expires_at"])

        server.kill()
        server.start()
        again = server.run("all", {"ns": [1, 2, 1, 2]})
        self.assertEqual(again["output"], {"each": [{"n": n} for n in (1, 2, 1, 2)]})
        self.assertEqual(len(self.calls()), 3, "only 2 is new")
        self.assertEqual(server.step(again["id"], "each[0]")["cached"]["run"], caller)
        self.assertEqual(server.step(again["id"], "each[0]")["attempts"], [])
        self.assertIn("cached", server.cli("runs", "show", again["id"]).stdout)

        fresh = server.cli("run", "one", "-i", "n=1", "--no-cache", "--json")
        self.assertEqual(fresh.returncode, 0, fresh.stderr)
        self.assertEqual(len(self.calls()), 4)
        # A new revision of the service begins anew.
        self.services["work"]["environment"]["MORE"] = "1"
        write_project(self.folder, self.services, {"one": cached})
        self.apply(server, self.folder)
        after = server.run("one", {"n": 1})
        self.assertEqual(server.step(after["id"], "a")["cached"], {"hit": False, "why": "new_revision"})

    def test_when_the_first_caller_fails_the_next_one_calls(self):
        call = {"call": "work.slow", "with": {"n": "${input.n}", "fails": True}, "cache": {"for": "1h", "key": "${input.n}"}}
        server = self.begin({"one": {"input": INPUT, "steps": {"a": call}}})
        first = server.begin("one", {"n": 1})["id"]
        until(lambda: self.calls(), "the first one calls")
        second = server.begin("one", {"n": 1})["id"]
        until(lambda: (server.step(second, "a")["waiting_on"] or {}).get("kind") == "cache", "the second waits for it")
        self.gate.touch()
        self.assertEqual([server.ended(run)["state"] for run in (first, second)], ["failed", "succeeded"])
        self.assertEqual(server.step(second, "a")["cached"]["hit"], False)


if __name__ == "__main__":
    unittest.main()
