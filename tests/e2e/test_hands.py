"""What people do to runs: reruns, acts on live runs, approvals, incidents, revisions; by the API and by the commands."""

import json
import threading
import unittest

from harness import Case, SharedServer, lines_of, until, write_project, write_service

SERVICE = """
CALLS, SWITCHES = os.environ["CALLS"], os.environ["SWITCHES"]

def is_on(name):
    return os.path.exists(os.path.join(SWITCHES, name))

def work(body):
    note(CALLS, {**effect(), "input": body})
    if is_on("break-" + str(body.get("name"))):
        raise Refuse(400, "broken", "broken on purpose")
    return {"made": body.get("name"), "got": body.get("got")}

def unwork(body):
    note(CALLS, {**effect(), "input": body})
    if is_on("stuck-" + str(body.get("name"))):
        raise Refuse(400, "stuck", "cannot be undone")
    return {}

def slow(body):
    import time
    note(CALLS, {**effect(), "input": body})
    while not is_on("go"):
        time.sleep(0.02)
    return {"n": 1}

serve(work=work, unwork=unwork, slow=slow)
"""


def work(name, **rest):
    got = {"got": rest.pop("got")} if "got" in rest else {}
    step = {"call": "hands.work", "with": {"name": name, **got}, **rest}
    if rest.pop("undoes", False):
        step.pop("undoes")
        step["undo"] = {"call": "hands.unwork", "with": {"name": name}}
    return step


class Hands(SharedServer):
    @classmethod
    def project(cls, folder):
        cls.calls, cls.switches = folder / "calls", folder / "switches"
        cls.switches.mkdir()
        takes = {"name": "string", "got?": "any"}
        cls.service = write_service(folder, "hands", SERVICE, environment={"CALLS": str(cls.calls), "SWITCHES": str(cls.switches)}, operations={
            "work": {"input": takes, "output": {"made": "string", "got": "any"}}, "unwork": {"input": takes}, "slow": {"output": {"n": "integer"}},
        })  # fmt: skip
        write_project(folder, {"hands": cls.service}, cls.workflows())

    @classmethod
    def workflows(cls):
        ask = {"await": {"approval": {"ask": "Pay ${input.name}?", "show": {"sum": 5}, "form": {"approved": "boolean", "why?": "string"}, "to": "ops"}}}
        return {
            "chain": {"input": {"name?": "string"}, "on_failure": "keep", "steps": {
                "a": work("a", undoes=True), "b": work("b", got="${a.made}", undoes=True), "c": work("c", got="${b.made}", undoes=True), "other": work("other"),
            }},
            "items": {"on_failure": "keep", "steps": {
                "each": {"for_each": [1, 2, 3], "call": "hands.work", "with": {"name": "each", "got": "${item}"}}, "last": work("last", after=["each"]),
            }},
            "undoing": {"steps": {"u": work("u", undoes=True), "plain": work("plain"), "bad": work("bad", after=["u", "plain"])}},
            "pauses": {"on_failure": "pause", "steps": {"p": work("p"), "q": work("q", after=["p"])}},
            "pauses-group": {"on_failure": "pause", "steps": {"g": {"steps": {"bad": work("bad-g")}, "output": {"n": "${size(bad.made)}"}}, "v": {"value": "${g.n + 1}"}}},
            "asks": {"input": {"name": "string"}, "steps": {"pay": {**ask, "timeout": "1h"}}, "output": "${pay}"},
            "asks-each": {"steps": {"each": {"for_each": [1, 2], "await": {"approval": {"ask": "Item ${item}?"}}}}},
            "slow": {"steps": {"s": {"call": "hands.slow"}, "after_it": work("after_it", after=["s"])}},
            "hears": {"steps": {"h": {"await": {"signal": "news"}}}, "output": "${h}"},
        }  # fmt: skip

    def switch(self, name):
        path = self.switches / name
        path.touch()
        self.addCleanup(path.unlink, missing_ok=True)
        return path

    def called(self, run):
        return [call["step"] for call in lines_of(self.calls) if call["run"] == run]

    def history(self, run):
        return self.shared.get(f"/runs/{run}/history", limit=500)["items"]

    def by(self, run, what):
        """Who did something by hand, as the history says."""
        return [entry["by"] for entry in self.history(run) if entry["type"] == what or (entry.get("data") or {}).get("what") == what]

    def act(self, run, what, body=None, by="ann"):
        from urllib.parse import quote
        return self.shared.api("POST", f"/runs/{run}/{quote(what, safe='/')}", {} if body is None else body, {"Consort-By": by})

    def failed_chain(self):
        breaks = self.switch("break-c")
        run = self.shared.run("chain")
        breaks.unlink()
        self.assertEqual(run["state"], "failed")
        return run["id"]


class Reruns(Hands):
    def test_what_does_not_depend_on_the_step_is_copied(self):
        old = self.failed_chain()
        answer = self.act(old, "rerun", {"from": "b"})
        self.assertEqual(answer.status, 201, answer.body)
        new = self.shared.ended(answer.json["id"])
        self.assertEqual((new["state"], new["trigger"]), ("succeeded", {"kind": "rerun", "run": old}))
        self.assertEqual(self.called(new["id"]), ["b", "c"])
        steps = self.shared.steps(new["id"])
        self.assertEqual({key: step["copied_from"] for key, step in steps.items()}, {"a": old, "b": None, "c": None, "other": old})
        self.assertEqual(new["output"]["a"]["made"], "a")
        copied = [entry for entry in self.history(new["id"]) if entry["type"] == "copied"]
        self.assertEqual([(entry["step"], entry["data"]) for entry in copied], [("a", {"from": old}), ("other", {"from": old})])
        # The new run undoes only what it ran itself.
        self.assertEqual(self.act(new["id"], "undo").status, 200)
        until(lambda: self.shared.get(f"/runs/{new['id']}")["undo"] == "complete", "undone")
        self.assertEqual(self.called(new["id"]), ["b", "c", "c.undo", "b.undo"])

    def test_the_command_does_the_same(self):
        old = self.failed_chain()
        done = self.shared.cli("runs", "rerun", old, "--from", "c", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        new = json.loads(done.stdout.splitlines()[-1])["id"]
        self.assertEqual(self.called(new), ["c"])
        wrong = self.shared.cli("runs", "rerun", old, "--from", "othr")
        self.assertEqual(wrong.returncode, 4, wrong.stderr)
        self.assertIn("did you mean `other`?", wrong.stderr)

    def test_of_a_list_the_other_items_are_copied(self):
        breaks = self.switch("break-last")
        old = self.shared.run("items")["id"]
        breaks.unlink()
        new = self.act(old, "rerun", {"from": "each[1]"}).json["id"]
        self.assertEqual(self.shared.ended(new)["state"], "succeeded")
        self.assertEqual(self.called(new), ["each[1]", "last"])
        self.assertEqual(self.shared.step(new, "each[0]")["copied_from"], old)
        self.assertIn("3 items", self.assertProblem(self.act(old, "rerun", {"from": "each[7]"}), 404, "E_NOT_FOUND")["detail"])

    def test_what_was_undone_runs_again(self):
        breaks = self.switch("break-bad")
        old = self.shared.run("undoing")
        breaks.unlink()
        self.assertEqual((old["state"], old["undo"]), ("failed", "complete"))
        new = self.act(old["id"], "rerun", {"from": "bad"}).json["id"]
        self.assertEqual(self.shared.ended(new)["state"], "succeeded")
        self.assertEqual(self.called(new), ["u", "bad"])

    def test_clean_first_undoes_the_step_and_all_after_it(self):
        run = self.shared.run("chain")["id"]
        answer = self.act(run, "rerun", {"from": "b", "clean": True})
        self.assertEqual(answer.status, 201, answer.body)
        self.assertEqual(self.called(run)[-2:], ["c.undo", "b.undo"])
        self.assertEqual(self.shared.step(run, "a")["state"], "succeeded")
        self.assertEqual(self.shared.step(run, "b")["state"], "undone")
        self.assertEqual(self.by(run, "undo"), ["ann"])
        self.shared.ended(answer.json["id"])
        self.assertEqual(self.called(answer.json["id"]), ["b", "c"])

    def test_no_new_run_begins_when_the_undo_is_parked(self):
        run = self.shared.run("chain")["id"]
        before = len(self.shared.get("/runs", workflow="chain", limit=500)["items"])
        stuck = self.switch("stuck-c")
        problem = self.assertProblem(self.act(run, "rerun", {"from": "b", "clean": True}), 409, "E_UNDO_PARKED")
        self.assertIn("c.undo", problem["detail"])
        self.assertEqual(len(self.shared.get("/runs", workflow="chain", limit=500)["items"]), before)
        stuck.unlink()
        answer = self.act(run, "rerun", {"from": "b", "clean": True})
        self.assertEqual(answer.status, 201, answer.body)
        self.shared.ended(answer.json["id"])

    def test_a_live_run_is_not_cleaned_and_a_bad_input_costs_nothing(self):
        run = self.shared.begin("hears")["id"]
        self.assertEqual(self.act(run, "rerun", {"clean": True}).status, 201, "there is nothing to undo")
        self.act(run, "cancel")
        done = self.shared.run("chain")["id"]
        self.assertProblem(self.act(done, "rerun", {"clean": True, "input": {"name": 5}}), 422, "E_INPUT")
        self.assertEqual(self.shared.step(done, "a")["state"], "succeeded")


class Acts(Hands):
    def test_pause_resume_and_who_did_it(self):
        run = self.shared.begin("slow")["id"]
        until(lambda: self.shared.steps(run).get("s", {}).get("state") == "running", "runs")
        self.assertEqual(self.act(run, "pause", by="ann").status, 200)
        self.assertProblem(self.act(run, "pause"), 409, "E_NOT_NOW")
        self.switch("go")
        until(lambda: self.shared.step(run, "s")["state"] == "succeeded", "what is in flight finishes")
        self.assertEqual(self.called(run), ["s"])
        self.assertEqual(self.act(run, "resume", by="bob").status, 200)
        self.assertEqual(self.shared.ended(run)["state"], "succeeded")
        self.assertEqual((self.by(run, "paused"), self.by(run, "resumed")), (["ann"], ["bob"]))

    def test_a_paused_failure_is_an_incident_until_it_is_mended(self):
        for act, state in (("retry", "succeeded"), ("skip", "skipped"), ("complete", "succeeded")):
            with self.subTest(act=act):
                breaks = self.switch("break-p")
                run = self.shared.begin("pauses")["id"]
                self.shared.reaches(run, "paused")
                (incident,) = [item for item in self.shared.get("/incidents")["items"] if item["run"] == run]
                self.assertEqual((incident["kind"], incident["step"], incident["error"]["code"]), ("paused_on_failure", "p", "broken"))
                self.assertIn(act, [action["name"] for action in incident["actions"]])
                breaks.unlink()
                if act == "complete":
                    bad = self.assertProblem(self.act(run, "steps/p/complete", {"output": {"made": 5}}), 422, "E_OUTPUT")
                    self.assertIn("made", " ".join(error["path"] for error in bad["errors"]))
                body = {"output": {"made": "by hand", "got": None}} if act == "complete" else None
                self.assertEqual(self.act(run, f"steps/p/{act}", body).status, 200)
                self.assertEqual(self.shared.ended(run)["state"], "succeeded")
                self.assertEqual(self.shared.step(run, "p")["state"], state)
                self.assertEqual(self.by(run, act), ["ann"])
                self.assertNotIn(run, [item["run"] for item in self.shared.get("/incidents")["items"]])
                self.assertProblem(self.act(run, f"steps/p/{act}", body), 409)

    def test_a_group_is_completed_only_with_what_it_gives(self):
        self.switch("break-bad-g")
        run = self.shared.begin("pauses-group")["id"]
        self.shared.reaches(run, "paused")
        self.assertProblem(self.act(run, "steps/g/complete", {"output": {"n": "many"}}), 422, "E_OUTPUT")
        self.assertEqual(self.act(run, "steps/g/complete", {"output": {"n": 4}}).status, 200)
        self.assertEqual(self.shared.ended(run)["output"]["v"], 5)

    def test_a_parked_undo_is_an_incident_and_ends_by_retry_skip_or_complete(self):
        for act in ("retry", "skip", "complete"):
            with self.subTest(act=act):
                breaks, stuck = self.switch("break-bad"), self.switch("stuck-u")
                run = self.shared.run("undoing")
                self.assertEqual(run["undo"], "incomplete")
                listed = self.shared.cli("incidents", "list", "--json")
                (incident,) = [item for item in json.loads(listed.stdout)["items"] if item["run"] == run["id"]]
                self.assertEqual((incident["kind"], incident["step"]), ("undo_parked", "u.undo"))
                shown = self.shared.cli("incidents", "show", run["id"])
                self.assertIn(f"consort runs {act} {run['id']} u.undo", shown.stdout)
                breaks.unlink(), stuck.unlink()
                extra = ["--output", "null"] if act == "complete" else []
                done = self.shared.cli("runs", act, run["id"], "u.undo", *extra)
                self.assertEqual(done.returncode, 0, done.stderr)
                until(lambda: self.shared.get(f"/runs/{run['id']}")["undo"] == "complete", "complete")
                self.assertEqual([item for item in self.shared.get("/incidents")["items"] if item["run"] == run["id"]], [])
                self.assertEqual(self.shared.cli("incidents", "show", run["id"]).returncode, 4)

    def test_a_signal_by_the_command_says_who(self):
        run = self.shared.begin("hears")["id"]
        self.shared.reaches(run, "waiting")
        sent = self.shared.cli("runs", "signal", run, "news", "-i", "rain=true", environment={"CONSORT_SERVER": self.shared.url, "USER": "cleo"})
        self.assertEqual(sent.returncode, 0, sent.stderr)
        self.assertEqual(self.shared.ended(run)["output"], {"rain": True})
        self.assertEqual(self.by(run, "signalled"), ["cleo"])
        self.assertIn("cleo", self.shared.cli("runs", "history", run).stdout)


class Approvals(Hands):
    def mine(self, run):
        return [item for item in self.shared.get("/approvals", limit=500)["items"] if item["run"] == run]

    def test_an_open_question_is_listed_with_its_form_until_it_is_answered(self):
        run = self.shared.begin("asks", {"name": "ann"})["id"]
        self.shared.reaches(run, "waiting")
        (question,) = self.mine(run)
        self.assertEqual((question["step"], question["ask"], question["show"], question["to"], question["workflow"]), ("pay", "Pay ann?", {"sum": 5}, "ops", "asks"))
        self.assertIn("approved", question["form"]["properties"])
        self.assertTrue(question["since"] and question["until"])
        answered = self.shared.cli("runs", "approve", run, "-i", "approved=true", "-i", "why=fine")
        self.assertEqual(answered.returncode, 0, answered.stderr)
        self.assertEqual(self.shared.ended(run)["output"], {"approved": True, "why": "fine"})
        self.assertEqual(self.mine(run), [])
        self.assertProblem(self.act(run, "steps/pay/complete", {"output": {"approved": False}}), 409)

    def test_of_many_answers_at_once_the_first_wins(self):
        run = self.shared.begin("asks", {"name": "ann"})["id"]
        self.shared.reaches(run, "waiting")
        answers = []
        sides = [threading.Thread(target=lambda n=n: answers.append(self.act(run, "steps/pay/complete", {"output": {"approved": n % 2 == 0}}).status)) for n in range(8)]
        for side in sides:
            side.start()
        for side in sides:
            side.join()
        self.assertEqual(sorted(answers), [200] + [409] * 7)

    def test_questions_of_items_have_keys_that_are_encoded_and_come_in_pages(self):
        run = self.shared.begin("asks-each")["id"]
        self.shared.reaches(run, "waiting")
        self.assertEqual([question["step"] for question in self.mine(run)], ["each[0]", "each[1]"])
        self.assertEqual(self.shared.cli("runs", "approve", run).returncode, 2, "several ask: one must be named")
        first = self.shared.get("/approvals", limit=1)
        self.assertTrue(first["next_cursor"])
        self.assertEqual(self.act(run, "steps/each[0]/complete", {"output": {"approved": True}}).status, 200)
        self.assertEqual([question["step"] for question in self.mine(run)], ["each[1]"])
        self.assertEqual(self.shared.cli("runs", "approve", run, "each[1]").returncode, 0)
        self.assertEqual(self.shared.ended(run)["output"]["each"], [{"approved": True}] * 2)


class AfterAKill(Case):
    def test_questions_incidents_and_a_rerun_are_there_after_a_kill(self):
        project = self.folder
        calls, switches = project / "calls", project / "switches"
        switches.mkdir()
        service = write_service(project, "hands", SERVICE, environment={"CALLS": str(calls), "SWITCHES": str(switches)}, operations={
            "work": {"input": {"name": "string", "got?": "any"}, "output": {"made": "string", "got": "any"}}, "unwork": {"input": {"name": "string"}}, "slow": {},
        })  # fmt: skip
        write_project(project, {"hands": service}, {
            "asks": {"steps": {"pay": {"await": {"approval": {"ask": "Pay?"}}}}},
            "pauses": {"on_failure": "pause", "steps": {"p": work("p")}},
            "slow": {"on_failure": "keep", "steps": {"a": work("a"), "s": {"call": "hands.slow", "after": ["a"]}}},
        })  # fmt: skip
        server = self.server()
        self.apply(server, project)
        (switches / "break-p").touch()
        asks, pauses = server.begin("asks")["id"], server.begin("pauses")["id"]
        server.reaches(asks, "waiting"), server.reaches(pauses, "paused")
        slow = server.begin("slow")["id"]
        until(lambda: server.steps(slow).get("s", {}).get("state") == "running", "runs")
        again = server.act(slow, "rerun", {"from": "s"}).json["id"]
        until(lambda: server.steps(again).get("s", {}).get("state") == "running", "runs")
        server.kill()
        (switches / "go").touch()
        server.start()
        self.assertEqual([item["run"] for item in server.get("/approvals")["items"]], [asks])
        self.assertEqual([item["run"] for item in server.get("/incidents")["items"]], [pauses])
        self.assertEqual(server.ended(again)["state"], "succeeded")
        self.assertEqual(server.step(again, "a")["copied_from"], slow)
        (switches / "break-p").unlink()
        self.assertEqual(server.act(pauses, "steps/p/retry").status, 200)
        self.assertEqual(server.ended(pauses)["state"], "succeeded")
        self.assertEqual(server.act(asks, "steps/pay/complete", {"output": {"approved": True}}).status, 200)
        self.assertEqual(server.get("/incidents")["items"] + server.get("/approvals")["items"], [])


class Bodies(Hands):
    def test_a_field_of_a_wrong_type_is_named_by_its_path(self):
        for body, path in (({"input": {}, "key": 5}, "key"), ({"input": {}, "tags": {"a": 1}}, "tags.a"), ({"inputs": {}}, "inputs")):
            with self.subTest(path=path):
                problem = self.assertProblem(self.shared.api("POST", "/workflows/chain/runs", body), 422, "E_BODY")
                self.assertEqual([error["path"] for error in problem["errors"]], [path])
        self.assertProblem(self.act("run_00000000000000000000000000000007", "cancel", by="x" * 101), 400, "E_HEADER")


class LargeValues(Case):
    """Values over 256 KiB are artifacts by themselves: histories and answers hold a reference, callees the value."""

    def test_a_large_value_is_passed_on_whole_and_shown_as_a_reference(self):
        large = """
def make(body):
    return {"text": "x" * body["bytes"]}

def measure(body):
    return {"bytes": len(body["value"]["text"])}

def slow(body):
    while not os.path.exists(os.environ["GO"]):
        time.sleep(0.02)
    return {}

import time
serve(make=make, measure=measure, slow=slow)
"""
        go = self.folder / "go"
        service = write_service(self.folder, "large", large, environment={"GO": str(go)}, operations={
            "make": {"input": {"bytes": "integer"}, "output": {"text": "string"}}, "measure": {"input": {"value": "any"}, "output": {"bytes": "integer"}}, "slow": {},
        })  # fmt: skip
        write_project(self.folder, {"large": service}, {"w": {"input": {"note": "string"}, "steps": {
            "big": {"call": "large.make", "with": {"bytes": 1_000_000}}, "gate": {"after": ["big"], "call": "large.slow"},
            "size": {"after": ["gate"], "call": "large.measure", "with": {"value": "${big}"}},
            "heard": {"after": ["big"], "await": {"signal": "news"}},
            "all": {"value": {"sum": "${size.bytes + size(heard.text) + size(input.note)}"}},
        }, "output": "${big}"}})  # fmt: skip
        server = self.server()
        self.apply(server, self.folder)
        note = "n" * 300_000
        run = server.begin("w", {"note": note})["id"]
        until(lambda: server.steps(run).get("gate", {}).get("state") == "running", "the gate is reached")
        self.assertEqual(server.act(run, "signals/news", {"text": "s" * 400_000}).status, 200)
        server.kill()
        go.touch()
        server.start()
        ended = server.ended(run)
        self.assertEqual(ended["state"], "succeeded", ended)
        steps = server.steps(run)
        self.assertEqual((steps["size"]["output"], steps["all"]["output"]), ({"bytes": 1_000_000}, {"sum": 1_700_000}))
        reference = ended["output"]
        self.assertEqual(set(reference), {"$artifact", "size"})
        self.assertEqual(steps["big"]["output"], reference)
        value = server.ask("GET", f"/api/v1/artifacts/{reference['$artifact']}")
        self.assertEqual((len(value.body), len(value.json["text"])), (reference["size"], 1_000_000))
        for shown in (steps["size"]["input"], ended["input"]):
            self.assertEqual(server.ask("GET", f"/api/v1/artifacts/{shown['$artifact']}").status, 200)
        history = server.api("GET", f"/runs/{run}/history", limit=500)
        self.assertLess(len(history.body), 20_000)
        self.assertIn(reference["$artifact"], history.body.decode())
        again = server.act(run, "rerun", {"from": "all"}).json["id"]
        server.ended(again)
        self.assertEqual(server.step(again, "all")["output"], {"sum": 1_700_000})


class Revisions(Case):
    def text(self, value):
        return [{"path": "consort.yaml", "text": json.dumps({"name": "e2e", "workflows": {"w": {"steps": {"s": {"await": {"signal": "go"}}, "v": {"after": ["s"], "value": value}}}}})}]

    def test_live_runs_keep_their_revision_and_applies_at_once_are_each_whole(self):
        server = self.server()
        first = server.api("POST", "/apply", {"files": self.text(1)})
        (change,) = first.json["changes"]
        self.assertEqual((change["kind"], change["name"], change["action"], change["revision"]), ("workflow", "w", "create", "1"))
        run = server.begin("w")["id"]
        dry = server.api("POST", "/apply", {"files": self.text(2)}, dry_run="true")
        self.assertEqual([(change["action"], change["revision"]) for change in dry.json["changes"]], [("update", "2")])
        self.assertEqual(len(server.get("/workflows/w/revisions")["items"]), 1, "a dry run changes nothing")
        answers = []
        sides = [threading.Thread(target=lambda n=n: answers.append(server.api("POST", "/apply", {"files": self.text(n)}))) for n in range(2, 6)]
        for side in sides:
            side.start()
        for side in sides:
            side.join()
        self.assertEqual([answer.status for answer in answers], [200] * 4)
        self.assertEqual(sorted(answer.json["changes"][0]["revision"] for answer in answers), ["2", "3", "4", "5"])
        revisions = server.get("/workflows/w/revisions")["items"]
        self.assertEqual([(item["revision"], item["current"]) for item in revisions], [("5", True), ("4", False), ("3", False), ("2", False), ("1", False)])
        self.assertEqual(server.api("POST", "/apply", {"files": self.text(9) + [{"path": "x", "text": "a: ["}]}).status, 200)
        self.assertProblem(server.api("POST", "/apply", {"files": [{"path": "consort.yaml", "text": "name: e2e\nworkflows: {w: {steps: {}, nope: 1}}"}]}), 422, "E_PROJECT")
        server.kill()
        server.start()
        server.act(run, "signals/go")
        self.assertEqual((server.ended(run)["revision"], server.get(f"/runs/{run}")["output"]["v"]), ("1", 1))

    def test_a_kill_in_the_middle_of_applies_leaves_each_whole_or_not_at_all(self):
        server = self.server()
        stop, acknowledged = threading.Event(), [0]

        def apply():
            while not stop.is_set():
                try:
                    if server.api("POST", "/apply", {"files": self.text(acknowledged[0] + 1)}).status == 200:
                        acknowledged[0] += 1
                except OSError:
                    return

        side = threading.Thread(target=apply)
        side.start()
        until(lambda: acknowledged[0] >= 5, "some applies")
        server.kill()
        stop.set()
        side.join()
        server.start()
        newest = int(server.get("/workflows/w/revisions")["items"][0]["revision"])
        self.assertIn(newest, (acknowledged[0], acknowledged[0] + 1), "what was acknowledged is there, and at most one more")
        run = server.begin("w")
        self.assertEqual(run["revision"], str(newest))
        server.act(run["id"], "signals/go")
        self.assertEqual(server.ended(run["id"])["output"]["v"], newest)


if __name__ == "__main__":
    unittest.main()
