"""The API: starts, acts on live runs, lists, the feed, artifacts, and what is refused."""

import hashlib
import http.client
import json
import threading
import unittest

from harness import SharedServer, until, write_project, write_service

SERVICE = """
import time

def slow(body):
    while not os.path.exists(body["until"]):
        time.sleep(0.02)
    return {}

def fails_first(body):
    mark = os.path.join(os.environ["MARKS"], caller.headers["Consort-Run"])
    if os.path.exists(mark):
        return {}
    open(mark, "w").close()
    raise Refuse(400, "not_yet", "not the first time")

def length(body):
    import urllib.request
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return {"bytes": len(opener.open(body["document"]["url"]).read())}

serve(slow=slow, fails_first=fails_first, length=length, make=lambda body: {"id": "made"}, unmake=lambda body: {})
"""


class Api(SharedServer):
    @classmethod
    def project(cls, folder):
        (folder / "marks").mkdir()
        worker = write_service(folder, "worker", SERVICE, environment={"MARKS": str(folder / "marks")}, scale={"concurrency": 64}, operations={
            "slow": {"input": {"until": "string"}}, "fails_first": {}, "make": {"output": {"id": "string"}}, "unmake": {},
            "length": {"input": {"document": "file"}, "output": {"bytes": "integer"}},
        })  # fmt: skip
        made = {"call": "worker.make", "undo": {"call": "worker.unmake"}}
        waits = {"call": "worker.slow", "with": {"until": "${input.until}"}}
        write_project(folder, {"worker": worker}, {
            "double": {"input": {"number": "number", "name?": "string", "who": {"age": "integer"}}, "steps": {"it": {"value": "${input.number * 2.0}"}}, "output": "${it}", "tags": {"kind": "sum"}},
            "quick": {"steps": {"it": {"value": 1}}, "output": "${it}"},
            "slow": {"input": {"until": "string"}, "steps": {"made": made, "it": {"after": ["made"], **waits}, "last": {"after": ["it"], "call": "worker.make"}}},
            "asks": {"steps": {"made": made, "answer": {"after": ["made"], "await": {"approval": {"ask": "Go on?", "form": {"approved": "boolean", "why?": "string"}}}}}, "output": "${answer}"},
            "hears": {"steps": {"it": {"await": {"signal": "news"}}}, "output": "${it}"},
            "fails": {"steps": {"made": made, "it": {"after": ["made"], "call": "worker.fails_first"}}, "on_failure": "keep"},
            "pauses": {"steps": {"made": made, "it": {"after": ["made"], "call": "worker.fails_first"}}, "on_failure": "pause"},
            "measures": {"input": {"document": "file"}, "steps": {"it": {"call": "worker.length", "with": {"document": "${input.document}"}}}, "output": "${it.bytes}"},
        })  # fmt: skip

    def gate(self):
        """A file that lets a slow step go on once it exists."""
        gate = self.folder / "gate"
        self.addCleanup(gate.parent.mkdir, exist_ok=True)
        return gate

    def start_slow(self):
        gate = self.gate()
        run = self.shared.begin("slow", {"until": str(gate)})["id"]
        until(lambda: self.shared.steps(run).get("it", {}).get("state") == "running", lambda: f"the slow step runs: {self.shared.steps(run)}")
        return run, gate


class AStart(Api):
    def start(self, workflow="double", body=None, **query):
        return self.shared.api("POST", f"/workflows/{workflow}/runs", body, **query)

    good = {"number": 2.5, "who": {"age": 3}}

    def test_each_field_that_does_not_fit_is_named_and_nothing_is_started(self):
        bad = {"number": "two", "nmae": "ann", "who": {"age": "old"}}
        problem = self.assertProblem(self.start(body={"input": bad, "key": "bad"}), 422, "E_INPUT")
        paths = " ".join(error["path"] for error in problem["errors"])
        for field in ("number", "nmae", "age"):
            self.assertIn(field, paths)
        self.assertProblem(self.start(body={"input": {}}), 422, "E_INPUT")
        self.assertEqual(self.start(body={"input": self.good, "key": "bad"}).status, 201, "the key of a refused start is free")

    def test_a_workflow_that_is_not_there_is_not_found(self):
        self.assertProblem(self.start("dubble", {"input": {}}), 404)

    def test_the_same_key_is_the_same_run_and_with_another_input_refused(self):
        first = self.start(body={"input": self.good, "key": "k1"})
        again = self.start(body={"input": {"who": {"age": 3}, "number": 2.5}, "key": "k1"})
        by_header = self.shared.api("POST", "/workflows/double/runs", {"input": self.good}, {"Idempotency-Key": "k1"})
        self.assertEqual([first.status, again.status, by_header.status], [201, 200, 200])
        self.assertEqual({answer.json["id"] for answer in (first, again, by_header)}, {first.json["id"]})
        self.assertProblem(self.start(body={"input": {**self.good, "number": 3}, "key": "k1"}), 409, "E_KEY_TAKEN")

    def test_twenty_starts_at_once_with_one_key_are_one_run(self):
        answers = []
        sides = [threading.Thread(target=lambda: answers.append(self.start(body={"input": self.good, "key": "race"}))) for _ in range(20)]
        for side in sides:
            side.start()
        for side in sides:
            side.join()
        self.assertEqual(sorted(answer.status for answer in answers), [200] * 19 + [201])
        self.assertEqual(len({answer.json["id"] for answer in answers}), 1)

    def test_a_start_that_waits_gives_the_finished_run_or_the_live_one(self):
        finished = self.start(body={"input": self.good}, wait="30s")
        self.assertEqual((finished.status, finished.json["state"], finished.json["output"]), (200, "succeeded", 5))
        live = self.start("slow", {"input": {"until": str(self.gate())}}, wait="200ms")
        self.assertEqual(live.status, 202)
        self.assertNotIn(live.json["state"], ("succeeded", "failed"))
        self.shared.act(live.json["id"], "cancel")
        self.assertProblem(self.start(body={"input": self.good}, wait="61s"), 400)

    def test_a_run_has_the_fields_of_the_contract(self):
        run = self.start(body={"input": self.good, "tags": {"by": "ann"}}, wait="30s").json
        fields = "id workflow revision state input output error tags created_at started_at finished_at trigger undo waiting_on attempts"
        self.assertEqual(set(fields.split()) - set(run), set())
        self.assertEqual(run["tags"], {"kind": "sum", "by": "ann"})
        (step,) = self.shared.get(f"/runs/{run['id']}/steps")["items"]
        fields = "key kind call state started_at finished_at attempts input output error cached progress waiting_on parent index"
        self.assertEqual(set(fields.split()) - set(step), set())


class Acts(Api):
    def test_cancel_undoes_what_was_completed(self):
        run, _ = self.start_slow()
        self.assertEqual(self.shared.act(run, "cancel").status, 200)
        ended = self.shared.ended(run)
        self.assertEqual((ended["state"], ended["undo"]), ("cancelled", "complete"))
        self.assertEqual(self.shared.step(run, "made")["state"], "undone")
        self.assertProblem(self.shared.act(run, "cancel"), 409)

    def test_a_paused_run_starts_nothing_new_until_it_is_resumed(self):
        run, gate = self.start_slow()
        self.assertEqual(self.shared.act(run, "pause").status, 200)
        gate.touch()
        until(lambda: self.shared.step(run, "it")["state"] == "succeeded", "the call in flight is finished")
        paused = self.shared.reaches(run, "paused")
        self.assertEqual(paused["waiting_on"]["kind"], "paused")
        self.assertIn(self.shared.steps(run).get("last", {"state": "pending"})["state"], ("pending", "ready", "waiting"))
        self.assertEqual(self.shared.act(run, "resume").status, 200)
        self.assertEqual(self.shared.ended(run)["state"], "succeeded")

    def test_what_failed_in_a_paused_run_is_retried(self):
        run = self.shared.begin("pauses")["id"]
        self.shared.reaches(run, "paused")
        self.assertEqual(self.shared.act(run, "retry").status, 200)
        self.assertEqual(self.shared.ended(run)["state"], "succeeded")
        self.assertEqual(len(self.shared.step(run, "it")["attempts"]), 2)

    def test_what_failed_in_a_paused_run_is_skipped_or_completed(self):
        for act, body, state in (("skip", {}, "skipped"), ("complete", {"output": {"by": "hand"}}, "succeeded")):
            with self.subTest(act=act):
                run = self.shared.begin("pauses")["id"]
                self.shared.reaches(run, "paused")
                self.assertEqual(self.shared.act(run, f"steps/it/{act}", body).status, 200)
                self.assertEqual(self.shared.ended(run)["state"], "succeeded")
                self.assertEqual(self.shared.step(run, "it")["state"], state)

    def test_undo_cleans_up_after_a_failed_run(self):
        run = self.shared.run("fails")
        self.assertEqual((run["state"], run["undo"]), ("failed", "none"))
        self.assertEqual(self.shared.act(run["id"], "undo").status, 200)
        until(lambda: self.shared.get(f"/runs/{run['id']}")["undo"] == "complete", "undone")
        self.assertEqual(self.shared.step(run["id"], "made")["state"], "undone")

    def test_a_rerun_is_a_new_run_with_the_old_input(self):
        old = self.shared.run("double", {"number": 4, "who": {"age": 1}})
        answer = self.shared.act(old["id"], "rerun")
        self.assertEqual(answer.status, 201)
        self.assertNotEqual(answer.json["id"], old["id"])
        self.assertEqual(self.shared.ended(answer.json["id"])["output"], 8)
        other = self.shared.act(old["id"], "rerun", {"input": {"number": 5, "who": {"age": 1}}})
        self.assertEqual(self.shared.ended(other.json["id"])["output"], 10)
        self.assertProblem(self.shared.act(old["id"], "rerun", {"input": {"number": "x"}}), 422)

    def test_an_approval_is_answered_once_and_only_by_its_form(self):
        run = self.shared.begin("asks")["id"]
        waiting = self.shared.reaches(run, "waiting")
        self.assertEqual(waiting["waiting_on"]["kind"], "approval")
        self.assertTrue(waiting["waiting_on"]["detail"])
        self.assertProblem(self.shared.act(run, "steps/answer/complete", {"output": {"approved": "yes"}}), 422)
        self.assertEqual(self.shared.act(run, "steps/answer/complete", {"output": {"approved": True, "why": "fine"}}).status, 200)
        self.assertProblem(self.shared.act(run, "steps/answer/complete", {"output": {"approved": False}}), 409)
        self.assertEqual(self.shared.ended(run)["output"], {"approved": True, "why": "fine"})

    def test_a_signal_reaches_the_step_that_awaits_it(self):
        run = self.shared.begin("hears")["id"]
        self.assertEqual(self.shared.reaches(run, "waiting")["waiting_on"]["kind"], "signal")
        self.assertEqual(self.shared.act(run, "signals/news", {"rain": True}).status, 200)
        self.assertEqual(self.shared.ended(run)["output"], {"rain": True})
        self.assertProblem(self.shared.act(run, "signals/news", {"rain": False}), 409)

    def test_acts_on_what_is_not_there_are_not_found(self):
        run = self.shared.run("quick")["id"]
        self.assertProblem(self.shared.act("run_00000000000000000000000000000000", "cancel"), 404)
        self.assertProblem(self.shared.act("nonsense", "cancel"), 404)
        self.assertIn(self.shared.act(run, "steps/nothing/retry").status, (404, 409))


class Lists(Api):
    def test_runs_are_filtered_and_paged_newest_first(self):
        tag = {"list": "paged"}
        ids = [self.shared.run("quick", tags=tag)["id"] for _ in range(5)]
        self.shared.run("double", {"number": 1, "who": {"age": 1}}, tags=tag)
        seen, cursor = [], {}
        while cursor is not None:
            page = self.shared.get("/runs", workflow="quick", tag="list=paged", state="succeeded", limit=2, **cursor)
            self.assertLessEqual(len(page["items"]), 2)
            seen += [run["id"] for run in page["items"]]
            cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
        self.assertEqual(seen, ids[::-1])
        self.assertEqual(self.shared.get("/runs", state="failed", tag="list=paged")["items"], [])
        self.assertEqual(len(self.shared.get("/runs", tag="list=paged")["items"]), 6)
        self.assertEqual([run["id"] for run in self.shared.get("/runs", q=ids[0])["items"]], [ids[0]])

    def test_what_waits_is_found_by_what_it_waits_on(self):
        run = self.shared.begin("hears")["id"]
        self.shared.reaches(run, "waiting")
        until(lambda: run in [item["id"] for item in self.shared.get("/runs", waiting_on="signal")["items"]], "found")
        self.shared.act(run, "cancel")

    def test_questions_that_do_not_fit_are_refused(self):
        for query in ({"sate": "failed"}, {"state": "fialed"}, {"limit": 0}, {"limit": 501}, {"cursor": "x"}, {"since": "monday"}):
            with self.subTest(query=query):
                self.assertProblem(self.shared.api("GET", "/runs", **query), 400)

    def test_workflows_services_and_history_are_shown(self):
        self.assertIn("double", [item["name"] for item in self.shared.get("/workflows")["items"]])
        graph = self.shared.get("/workflows/slow/graph")
        self.assertTrue(graph["nodes"] and graph["edges"])
        (service,) = self.shared.get("/services")["items"]
        self.assertEqual((service["name"], service["state"]), ("worker", "ready"))
        fields = "name revision previous_revision state replicas in_flight queued operations rollout"
        self.assertEqual(set(fields.split()) - set(service), set())
        self.assertEqual(len(self.shared.get("/services/worker/replicas")["items"]), 1)
        run = self.shared.run("quick")["id"]
        self.assertTrue(self.shared.get(f"/runs/{run}/history")["items"])
        called = self.shared.api("POST", "/services/worker/operations/make", {})
        self.assertEqual((called.status, called.json), (200, {"id": "made"}))
        self.assertProblem(self.shared.api("POST", "/services/worker/operations/length", {"document": 1}), 422)

    def test_the_server_tells_of_itself(self):
        for path in ("/healthz", "/readyz", "/"):
            self.assertEqual(self.shared.ask("GET", path).status, 200, path)
        described = self.shared.ask("GET", "/openapi.json").json
        self.assertTrue(described["openapi"].startswith("3.1"))
        self.assertTrue(any(path.endswith("/workflows/{workflow}/runs") for path in described["paths"]))


class TheFeed(Api):
    def listen(self, events, last=None, **query):
        """Opens the feed; `events` receives (id, name, data) until the connection is closed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.shared.port, timeout=60)
        path = "/api/v1/feed" + ("?" + "&".join(f"{key}={value}" for key, value in query.items()) if query else "")
        connection.request("GET", path, headers={"Last-Event-ID": last} if last else {})
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.headers["Content-Type"].startswith("text/event-stream"))
        socket = connection.sock

        def read():
            event = {}
            try:
                for line in answer:
                    name, _, value = line.decode().rstrip("\n").partition(": ")
                    if name:
                        event[name] = value
                    elif "event" in event:
                        events.append((event.get("id"), event["event"], json.loads(event["data"])))
                        event = {}
            except (OSError, ValueError, AttributeError, http.client.HTTPException):
                pass

        reader = threading.Thread(target=read, daemon=True)
        reader.start()

        def close():
            if reader.is_alive():
                try:
                    socket.shutdown(2)
                except (OSError, AttributeError):
                    pass
            reader.join(10)
            connection.close()

        self.addCleanup(close)
        return close

    def test_it_tells_of_runs_and_steps_and_goes_on_where_it_was_left(self):
        events = []
        close = self.listen(events)
        first = self.shared.run("quick")["id"]
        ended = lambda run, events: any(name == "run" and data["id"] == run and data["state"] == "succeeded" for _, name, data in events)
        until(lambda: ended(first, events), "the end of the run is told")
        self.assertTrue(any(name == "step" and data["run"] == first and data["key"] == "it" for _, name, data in events))
        close()
        last = events[-1][0]
        second = self.shared.run("quick")["id"]
        later = []
        self.listen(later, last=last)
        until(lambda: ended(second, later), "what was missed is told")
        self.assertNotIn("reset", [name for _, name, _ in later])
        self.assertFalse(ended(first, later), "what was told is not told again")

    def test_an_id_of_another_life_is_answered_with_a_reset(self):
        events = []
        self.listen(events, last="ffff-12")
        until(lambda: any(name == "reset" for _, name, _ in events), "reset")

    def test_it_is_filtered_by_run(self):
        run, gate = self.start_slow()
        events = []
        self.listen(events, run=run)
        self.shared.run("quick")
        gate.touch()
        self.shared.ended(run)
        until(lambda: any(name == "run" and data["state"] == "succeeded" for _, name, data in events), "its end")
        self.assertEqual({data.get("run", data.get("id")) for _, _, data in events}, {run})


class Artifacts(Api):
    def test_bytes_come_back_as_they_were_whole_and_in_ranges(self):
        data = bytes(range(256)) * 4096
        answer = self.shared.ask("POST", "/api/v1/artifacts?name=stub.pdf", data, {"Content-Type": "application/pdf"})
        file = answer.json
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        self.assertEqual((answer.status, file["artifact"], file["name"], file["type"], file["size"]), (201, digest, "stub.pdf", "application/pdf", len(data)))
        self.assertEqual(self.shared.api("GET", f"/artifacts/{digest}").body, data)
        part = self.shared.api("GET", f"/artifacts/{digest}", headers={"Range": "bytes=100-199"})
        self.assertEqual((part.status, part.body), (206, data[100:200]))
        self.assertEqual(part.headers["Content-Range"], f"bytes 100-199/{len(data)}")
        self.assertEqual(self.shared.api("GET", f"/artifacts/{digest}", headers={"Range": "bytes=-5"}).body, data[-5:])
        self.assertProblem(self.shared.api("GET", f"/artifacts/{digest}", headers={"Range": f"bytes={len(data)}-"}), 416)
        run = self.shared.run("measures", {"document": file})
        self.assertEqual((run["state"], run["output"]), ("succeeded", len(data)), run)

    def test_what_is_not_there_is_not_found(self):
        self.assertProblem(self.shared.api("GET", "/artifacts/sha256:" + "0" * 64), 404)
        self.assertIn(self.shared.api("GET", "/artifacts/sha256:..%2f..%2fetc").status, (400, 404))

    def test_more_than_a_request_may_hold_can_be_an_artifact(self):
        data = b"x" * (20 << 20)
        answer = self.shared.ask("POST", "/api/v1/artifacts", data)
        self.assertEqual((answer.status, answer.json["size"]), (201, len(data)))


class Refusals(Api):
    def test_a_foreign_host_or_page_is_kept_out(self):
        for headers in ({"Host": "evil.example"}, {"Host": f"evil.example:{self.shared.port}"}):
            self.assertProblem(self.shared.api("GET", "/runs", headers=headers), 403, "E_HOST")
        for origin in ("http://evil.example", "null", f"http://evil.example:{self.shared.port}"):
            self.assertProblem(self.shared.api("POST", "/workflows/quick/runs", {}, {"Origin": origin}), 403, "E_ORIGIN")
        own = self.shared.api("POST", "/workflows/quick/runs", {}, {"Origin": self.shared.url})
        self.assertEqual(own.status, 201)
        self.assertIsNone(own.headers["Access-Control-Allow-Origin"])

    def test_a_request_that_is_too_large_is_refused(self):
        answer = self.shared.api("POST", "/workflows/quick/runs", {"input": {"text": "x" * (9 << 20)}})
        self.assertProblem(answer, 413, "E_TOO_LARGE")

    def test_each_request_that_does_not_fit_is_a_problem_that_says_why(self):
        runs = "/workflows/quick/runs"
        for body, status, word in (
            ({"inputs": {}}, 422, "inputs"), ({"input": {}, "keys": "x"}, 422, "keys"), ([], 422, ""), (b"{no json", 400, ""), ({"key": 7}, 422, "column 9"),
        ):  # fmt: skip
            with self.subTest(body=body):
                problem = self.assertProblem(self.shared.api("POST", runs, body, {"Content-Type": "application/json"}), status)
                self.assertIn(word, json.dumps(problem))
        self.assertProblem(self.shared.api("POST", runs, b"a=b", {"Content-Type": "application/x-www-form-urlencoded"}), 415)
        self.assertProblem(self.shared.api("GET", "/nowhere"), 404, "E_NO_ROUTE")
        self.assertProblem(self.shared.api("DELETE", "/runs"), 405, "E_METHOD")
        self.assertProblem(self.shared.api("GET", "/runs/run_nope"), 404)
        deep = b'{"input":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        self.assertIn(self.shared.api("POST", runs, deep, {"Content-Type": "application/json"}).status, (400, 422))


if __name__ == "__main__":
    unittest.main()
