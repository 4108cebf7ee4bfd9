"""The service `consort`: rollouts, roll backs, scales and notes to people as steps, done once, and what outlives the server."""

import json
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import Case, until, write_project, write_service

SCORER = """
if os.environ.get("MODEL") == "broken":
    sys.exit(3)

def score(body):
    return {"model": os.environ.get("MODEL", "none"), "region": os.environ.get("REGION", ""), "pid": os.getpid()}

def fail(body):
    raise Refuse(422, "no", "as asked")

serve(score=score, fail=fail)
"""

OPERATIONS = {
    "score": {"output": {"model": "string", "region": "string", "pid": "integer"}},
    "fail": {},
}

QUICK = {"max_surge": 1, "roll_back_when": {"failed_starts": 1}, "progress_deadline": "30s"}

ROLLOUT = {
    "input": {"model": "string", "then?": "string"},
    "steps": {
        "out": {
            "call": "consort.rollout",
            "with": {"service": "scorer", "environment": {"MODEL": "${input.model}"}},
            "undo": {"call": "consort.rollback", "with": {"service": "scorer", "to": "${output.previous}"}},
        },
        "after": {"call": "scorer.fail", "after": ["out"], "when": "default(input.then, '') == 'fail'"},
        "score": {"call": "scorer.score", "after": ["after", "out"]},
    },
    "output": {"revision": "${out.revision}", "previous": "${out.previous}", "model": "${score.model}"},
}

ACTS = {
    "input": {"replicas": "integer"},
    "steps": {
        "more": {"call": "consort.scale", "with": {"service": "scorer", "replicas": "${input.replicas}"}},
        "again": {"call": "consort.restart", "with": {"service": "scorer"}, "after": ["more"]},
    },
    "output": {"more": "${more}", "again": "${again}"},
}


class Channel:
    """Takes notes over HTTP, and refuses the first ones when told to."""

    def __init__(self, refuse=0):
        self.taken, self.refuse = [], refuse
        channel = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                channel.taken.append((self.path, self.headers["Idempotency-Key"], body))
                self.send_response(503 if len(channel.taken) <= channel.refuse else 200)
                self.end_headers()
                self.wfile.write(b"ok")

            def log_request(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Platform(Case):
    def project_of(self, scorer=None, **rest):
        folder = self.new_folder()
        self.definition = write_service(
            folder, "scorer", SCORER, operations=OPERATIONS, rollout=QUICK, stop_grace_period="1s",
            environment={"REGION": "north"}, **(scorer or {}),
        )  # fmt: skip
        return write_project(folder, {"scorer": self.definition}, {"roll": ROLLOUT, "acts": ACTS}, **rest)

    def score(self, server):
        answer = server.api("POST", "/services/scorer/operations/score", {})
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def test_a_rollout_serves_new_variables_until_the_definition_changes(self):
        folder, server = self.project_of(), self.server()
        self.apply(server, folder)
        self.assertEqual(self.score(server)["model"], "none")
        run = server.run("roll", {"model": "a"})
        self.assertEqual(run["output"], {"revision": "2", "previous": "1", "model": "a"}, run)
        self.assertEqual(self.score(server)["region"], "north")
        self.apply(server, folder)
        self.assertEqual((self.score(server)["model"], server.service("scorer")["revision"]), ("a", "2"))
        server.kill()
        server.start()
        until(lambda: server.service("scorer")["state"] == "ready", "ready again")
        self.assertEqual((self.score(server)["model"], server.service("scorer")["revision"]), ("a", "2"))
        definition = {**self.definition, "environment": {"REGION": "south"}}
        write_project(folder, {"scorer": definition}, {"roll": ROLLOUT, "acts": ACTS})
        self.apply(server, folder)
        scored = self.score(server)
        self.assertEqual((scored["model"], scored["region"], server.service("scorer")["revision"]), ("none", "south", "3"))

    def test_what_comes_after_a_rollout_and_fails_brings_the_old_revision_back(self):
        folder, server = self.project_of(), self.server()
        self.apply(server, folder)
        run = server.run("roll", {"model": "a", "then": "fail"})
        self.assertEqual((run["state"], run["undo"]), ("failed", "complete"), run)
        self.assertEqual((self.score(server)["model"], server.service("scorer")["revision"]), ("none", "1"))
        # The roll back holds: over an apply of the same, and over a restart of the server.
        self.apply(server, folder)
        server.kill()
        server.start()
        until(lambda: server.service("scorer")["state"] == "ready", "ready again")
        self.assertEqual((self.score(server)["model"], server.service("scorer")["revision"]), ("none", "1"))

    def test_a_rollout_that_does_not_start_fails_the_step_and_the_old_revision_serves_on(self):
        folder, server = self.project_of(), self.server()
        self.apply(server, folder)
        run = server.run("roll", {"model": "broken"})
        self.assertEqual((run["state"], run["error"]["code"]), ("failed", "E_ROLLOUT_FAILED"), run)
        self.assertEqual(self.score(server)["model"], "none")

    def test_a_server_that_is_killed_in_a_rollout_makes_one_revision(self):
        # Ready only after a while, so that the kill comes before.
        slow = {"healthcheck": {"path": "/healthz", "interval": "200ms"}, "command": "sh -c 'sleep 3; exec python3 -B service.py'"}
        folder, server = self.project_of(slow), self.server()
        self.apply(server, folder)
        run = server.begin("roll", {"model": "a"})["id"]
        until(lambda: len(server.get("/services/scorer/revisions")["items"]) == 2, "the revision is made")
        server.kill()
        server.start()
        ended = server.ended(run)
        self.assertEqual(ended["output"], {"revision": "2", "previous": "1", "model": "a"}, ended)
        self.assertEqual(len(server.get("/services/scorer/revisions")["items"]), 2)

    def test_a_scale_and_a_roll_back_by_hand_outlive_the_server(self):
        folder, server = self.project_of(), self.server()
        self.apply(server, folder)
        before = self.score(server)["pid"]
        run = server.run("acts", {"replicas": 2})
        self.assertEqual(run["output"], {"more": {"replicas": 2}, "again": {"revision": "1"}}, run)
        self.assertNotEqual(self.score(server)["pid"], before)
        self.assertEqual(server.cli("services", "scale", "scorer", "3").returncode, 0)
        server.run("roll", {"model": "a"})
        self.assertEqual(server.cli("services", "rollback", "scorer").returncode, 0)
        server.cli("services", "scale", "scorer", "2")
        until(lambda: self.score(server)["model"] == "none", "back")
        server.kill()
        server.start()
        until(lambda: server.service("scorer")["replicas"]["ready"] == 2, lambda: f"two replicas: {server.service('scorer')}")
        self.assertEqual((self.score(server)["model"], server.service("scorer")["revision"]), ("none", "1"))
        refused = server.run("acts", {"replicas": 5_000_000})
        self.assertEqual(refused["error"]["code"], "E_PLATFORM_INPUT", refused)

    def test_notes_are_delivered_by_each_kind_of_channel(self):
        hook, chat = Channel(refuse=1), Channel()
        self.addCleanup(hook.close)
        self.addCleanup(chat.close)
        folder = self.new_folder()
        got = folder / "got"
        steps = {
            "hook": {"call": "consort.notify", "with": {"channel": "hook", "text": "n is ${input.n}"}, "retry": {"attempts": 3, "delay": "50ms"}},
            "chat": {"call": "consort.notify", "with": {"channel": "chat", "text": "hello"}},
            "shell": {"call": "consort.notify", "with": {"channel": "run", "text": "hello"}},
            "gone": {"call": "consort.notify", "with": {"channel": "${input.where}", "text": "x"}, "catch": {"value": "${error.code}"}},
        }
        write_project(
            folder, {}, {"w": {"input": {"n": "integer", "where": "string"}, "steps": steps, "output": "${gone}"}},
            notify={"hook": {"webhook": f"{hook.url}/x?y=1"}, "chat": {"slack": "${secrets.chat}"}, "run": {"command": ["sh", "-c", f"cat > {got}; printf %s \"$CONSORT_TEXT\" >> {got}"]}},
            secrets={"chat": {"environment": "CHAT_URL"}},
        )  # fmt: skip
        server = self.server(environment={"CHAT_URL": f"{chat.url}/services/T0"})
        self.apply(server, folder)
        run = server.run("w", {"n": 7, "where": "nowhere"})
        self.assertEqual((run["state"], run["output"]), ("succeeded", "E_PLATFORM_INPUT"), run)
        (first, second), (path, key, body) = hook.taken, hook.taken[1]
        self.assertEqual((first[1], path), (key, "/x?y=1"))
        self.assertEqual((second[2]["text"], body["channel"], body["run"], body["step"]), ("n is 7", "hook", run["id"], "hook"))
        self.assertEqual([(path, body) for path, _, body in chat.taken], [("/services/T0", {"text": "hello"})])
        written = got.read_text()
        self.assertTrue(written.endswith("hello") and json.loads(written[: -len("hello")])["channel"] == "run", written)

    def test_calls_are_counted(self):
        folder, server = self.project_of(), self.server()
        self.apply(server, folder)
        for _ in range(4):
            self.score(server)
        server.api("POST", "/services/scorer/operations/fail", {})
        stats = server.get("/services/scorer/stats")
        self.assertEqual((stats["calls"], stats["failures"], stats["success_ratio"]), (5, 1, 0.8))
        score = stats["operations"]["score"]
        self.assertEqual((score["calls"], score["success_ratio"]), (4, 1))
        self.assertTrue(0 < score["p50_ms"] <= score["p95_ms"] <= score["p99_ms"] <= score["max_ms"], score)
        shown = server.cli("services", "show", "scorer").stdout
        self.assertIn("80.0 %" if "80.0 %" in shown else "100.0 %", shown)
        self.assertProblem(server.api("GET", "/services/nothing/stats"), 404)


if __name__ == "__main__":
    unittest.main()
