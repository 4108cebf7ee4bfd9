"""Services that crash, hang, lie or never start, and what becomes of the calls, the steps and the rollout."""

import json
import unittest
from pathlib import Path

from harness import Case, SharedServer, alive, lines_of, until, write_project, write_script, write_service

TROUBLED = """
import time

def made(body):
    note(os.environ["CALLS"], effect())
    return len([1 for line in open(os.environ["CALLS"]) if json.loads(line)["key"] == caller.headers["Idempotency-Key"]])

def crashes_once(body):
    if made(body) == 1:
        os._exit(3)
    return {"answer": 42}

def hangs_once(body):
    if made(body) == 1:
        time.sleep(20)
    return {"answer": 42}

def busy_once(body):
    if made(body) == 1:
        raise Refuse(503, "busy", "come back later", Retry_After="1")
    return {"answer": 42}

def no_json(body):
    made(body)
    return Raw(b"<html>it works</html>")

def wrong_shape(body):
    made(body)
    return {"answer": "forty-two"}

def too_much(body):
    made(body)
    return Raw(b'"' + b"x" * (70 << 20) + b'"')

def refuses(body):
    made(body)
    raise Refuse(422, "no_such_page", "the document has no page 7")

def nothing(body):
    raise Refuse(204)

def large(body):
    return {"text": "x" * body["bytes"]}

serve(crashes_once=crashes_once, hangs_once=hangs_once, busy_once=busy_once, no_json=no_json,
      wrong_shape=wrong_shape, too_much=too_much, refuses=refuses, large=large)
"""

ANSWER = {"output": {"answer": "integer"}}
TWICE = {"retry": {"attempts": 2, "delay": "50ms"}}

SCRIPT = """
case $CONSORT_OPERATION in
  adds) read -r input; echo "adding for $CONSORT_RUN" >&2; echo '{"sum": 3}';;
  passing) if mkdir "$MARKS/$IDEMPOTENCY_KEY" 2>/dev/null; then echo "not now" >&2; exit 75; fi; echo '{}';;
  broken) mkdir "$MARKS/$CONSORT_ATTEMPT-$IDEMPOTENCY_KEY"; echo "cannot read page 7" >&2; exit 1;;
  tells) echo "the key is $PAY_KEY" >&2; echo "{\\"said\\": \\"done\\"}";;
  babbles) echo "no JSON at all";;
  sleeps) sleep 30;;
esac
"""


def one_step(service, operation, **step):
    return {"input": {}, "steps": {"it": {"call": f"{service}.{operation}", **step}}, "output": "${it}"}


class ACall(SharedServer):
    environment = {"PAY_KEY": "s3cret-pay-key"}

    @classmethod
    def project(cls, folder):
        cls.calls, cls.marks = folder / "calls", folder / "marks"
        cls.marks.mkdir()
        http = ("crashes_once", "hangs_once", "busy_once", "no_json", "wrong_shape", "too_much", "refuses")
        operations = {name: {**ANSWER, **TWICE, "timeout": "1s" if name == "hangs_once" else "60s"} for name in http}
        troubled = write_service(folder, "troubled", TROUBLED, environment={"CALLS": str(cls.calls)}, operations={**operations, "large": {"input": {"bytes": "integer"}}})
        commands = ("adds", "passing", "broken", "tells", "babbles")
        script = write_script(
            folder, "script", SCRIPT, environment={"MARKS": str(cls.marks)}, secrets=["pay_key"],
            operations={**{name: TWICE for name in commands}, "sleeps": {"timeout": "500ms"}},
        )  # fmt: skip
        nobody = {"url": "http://127.0.0.1:9", "operations": {"ask": TWICE}}
        workflows = {name.replace("_", "-"): one_step("troubled", name) for name in http}
        workflows |= {name: one_step("script", name) for name in (*commands, "sleeps")}
        workflows["nobody"] = one_step("nobody", "ask")
        workflows["large"] = {"input": {"bytes": "integer"}, "steps": {"it": {"call": "troubled.large", "with": {"bytes": "${input.bytes}"}}}, "output": "${size(it.text)}"}
        write_project(folder, {"troubled": troubled, "script": script, "nobody": nobody}, workflows, secrets={"pay_key": {"environment": "PAY_KEY"}})

    def attempts(self, workflow, state, error=None, kinds=()):
        """Runs a workflow of one step; its error and those of its attempts are as expected."""
        run = self.shared.run(workflow)
        step = self.shared.step(run["id"], "it")
        self.assertEqual(run["state"], state, f"{run}\n{step}\n{self.shared.words()}")
        seen = [(attempt["error"] or {}).get("kind") for attempt in step["attempts"]]
        self.assertEqual(seen, list(kinds), step)
        if error:
            self.assertEqual(run["error"]["kind"], error)
            self.assertEqual(run["error"]["step"], "it")
            self.assertTrue(run["error"]["code"] and run["error"]["message"])
        return run

    def test_a_replica_that_crashes_in_a_call_is_started_again_and_the_call_made_again(self):
        run = self.attempts("crashes-once", "succeeded", kinds=["unavailable", None])
        self.assertEqual(run["output"], {"answer": 42})

    def test_a_call_that_hangs_is_cut_off_and_made_again(self):
        self.attempts("hangs-once", "succeeded", kinds=["timeout", None])

    def test_a_service_that_is_busy_is_asked_again_after_the_time_it_named(self):
        run = self.attempts("busy-once", "succeeded", kinds=["operation", None])
        first, second = self.shared.step(run["id"], "it")["attempts"]
        self.assertTrue(first["error"]["retryable"])
        self.assertEqual(first["error"]["http_status"], 503)
        self.assertGreaterEqual(second["started_at"], first["finished_at"][:-1])

    def test_a_refusal_is_not_tried_again_and_its_words_are_the_error_of_the_step(self):
        run = self.attempts("refuses", "failed", "operation", ["operation"])
        self.assertEqual(run["error"]["code"], "no_such_page")
        self.assertEqual(run["error"]["message"], "the document has no page 7")
        self.assertEqual(run["error"]["http_status"], 422)
        self.assertFalse(run["error"]["retryable"])

    def test_an_answer_that_is_no_json_is_a_bad_output(self):
        run = self.attempts("no-json", "failed", "invalid_output", ["invalid_output"])
        self.assertIn("JSON", run["error"]["message"])

    def test_an_answer_of_the_wrong_shape_is_a_bad_output_that_names_the_path(self):
        run = self.attempts("wrong-shape", "failed", "invalid_output", ["invalid_output"])
        self.assertIn("answer", json.dumps(run["error"]))

    def test_an_answer_that_is_too_large_breaks_a_limit(self):
        self.attempts("too-much", "failed", "limit", ["limit"])

    def test_a_service_that_nobody_runs_is_asked_again_and_then_unavailable(self):
        self.attempts("nobody", "failed", "unavailable", ["unavailable", "unavailable"])

    def test_a_large_answer_is_kept_whole(self):
        run = self.shared.run("large", {"bytes": 5_000_000})
        self.assertEqual((run["state"], run["output"]), ("succeeded", 5_000_000), run)

    def test_a_command_that_ends_well_gives_its_output_and_a_log(self):
        run = self.attempts("adds", "succeeded", kinds=[None])
        self.assertEqual(run["output"], {"sum": 3})
        logs = self.shared.cli("runs", "logs", run["id"])
        self.assertIn(f"adding for {run['id']}", logs.stdout)

    def test_a_command_that_fails_for_now_is_called_again(self):
        self.attempts("passing", "succeeded", kinds=["operation", None])

    def test_a_command_that_fails_is_not_called_again(self):
        run = self.attempts("broken", "failed", "operation", ["operation"])
        self.assertIn("cannot read page 7", self.shared.cli("runs", "logs", run["id"]).stdout)

    def test_a_command_that_writes_no_json_has_a_bad_output(self):
        self.attempts("babbles", "failed", "invalid_output", ["invalid_output"])

    def test_a_command_that_hangs_is_killed_with_all_it_started(self):
        self.attempts("sleeps", "failed", "timeout", ["timeout"])
        until(lambda: not self.shared.replica_pids("script"), "the command is gone with its child")

    def test_a_secret_is_masked_in_every_log(self):
        run = self.attempts("tells", "succeeded", kinds=[None])
        for log in (self.shared.cli("runs", "logs", run["id"]).stdout, self.shared.api("GET", f"/runs/{run['id']}/logs").body.decode()):
            self.assertIn("the key is", log)
            self.assertNotIn("s3cret-pay-key", log)
        kept = [path for path in self.shared.data.rglob("*") if path.is_file() and b"s3cret-pay-key" in path.read_bytes()]
        self.assertEqual(kept, [], "no file of the server holds the secret")


SAYS = "serve(say=lambda body: {'said': %r})\n"


class ARollout(Case):
    def write(self, source, **definition):
        service = write_service(self.folder, "speaker", source, operations={"say": {}}, **definition)
        return write_project(self.folder, {"speaker": service}, {"say": one_step("speaker", "say")})

    def said(self, server):
        return server.run("say")["output"]["said"]

    def test_changed_source_is_a_new_revision_and_the_old_replica_is_stopped(self):
        server = self.server()
        self.apply(server, self.write(SAYS % "first"))
        first, before = server.service("speaker"), server.replica_pids("speaker")
        self.assertEqual(self.said(server), "first")
        self.apply(server, self.write(SAYS % "second"))
        second = server.service("speaker")
        self.assertEqual(self.said(server), "second")
        self.assertNotEqual(second["revision"], first["revision"])
        self.assertEqual(second["previous_revision"], first["revision"])
        until(lambda: not any(map(alive, before)), "the old replica is gone")

    def test_setup_runs_once_for_each_revision(self):
        built = self.folder / "built"
        setup = [f"echo built >> {built}"]
        server = self.server()
        self.apply(server, self.write(SAYS % "first", setup=setup))
        self.apply(server, self.write(SAYS % "first", setup=setup))
        server.kill()
        server.start()
        self.assertEqual(self.said(server), "first")
        self.assertEqual(built.read_text(), "built\n")
        self.apply(server, self.write(SAYS % "second", setup=setup))
        self.assertEqual(built.read_text(), "built\nbuilt\n")

    def test_a_setup_that_fails_shows_what_it_said_and_the_old_revision_goes_on(self):
        server = self.server()
        self.apply(server, self.write(SAYS % "first"))
        before = server.service("speaker")["revision"]
        failed = self.apply(server, self.write(SAYS % "second", setup=["echo no package called pdf-reeder >&2; exit 9"]), expect=1)
        self.assertIn("no package called pdf-reeder", failed.stdout + failed.stderr)
        service = server.service("speaker")
        self.assertIn("no package called pdf-reeder", json.dumps(service))
        self.assertEqual(self.said(server), "first")
        self.assertEqual(service["replicas"]["ready"], 1, (before, service))

    def test_a_setup_that_failed_is_tried_again_when_the_same_project_is_applied(self):
        server = self.server()
        registry = self.folder / "registry"
        project = self.write(SAYS % "first", setup=[f"test -e {registry}"])
        self.apply(server, project, expect=1)
        self.assertEqual(server.service("speaker")["state"], "failed")
        registry.touch()
        self.apply(server, project)
        self.assertEqual(self.said(server), "first")

    def test_a_service_whose_kind_changes_leaves_its_replicas_behind(self):
        server = self.server()
        self.apply(server, self.write(SAYS % "first"))
        before = server.replica_pids("speaker")
        script = write_script(self.folder, "speaker", "#!/bin/sh\necho '{\"said\": \"script\"}'\n", operations={"say": {}})
        self.apply(server, write_project(self.folder, {"speaker": script}, {"say": one_step("speaker", "say")}))
        self.assertEqual(self.said(server), "script")
        until(lambda: not any(map(alive, before)), "its replicas are gone")
        self.apply(server, self.write(SAYS % "again"))
        self.assertEqual(self.said(server), "again")

    def test_a_command_that_does_not_exist_fails_the_rollout_and_is_named(self):
        server = self.server()
        failed = self.apply(server, self.write(SAYS % "x", command=["no-such-program", "--serve"]), expect=1)
        self.assertIn("no-such-program", failed.stdout + failed.stderr)
        self.assertIn("no-such-program", server.service("speaker")["detail"])

    def test_a_service_that_exits_at_once_fails_the_rollout_and_says_how_it_ended(self):
        server = self.server()
        failed = self.apply(server, self.write("sys.exit('the database is missing')\n"), expect=1)
        self.assertIn("exited with 1", failed.stdout + failed.stderr)
        self.assertEqual(server.service("speaker")["state"], "failed")
        self.assertIn("the database is missing", server.cli("services", "logs", "speaker").stdout)

    def test_a_rollout_that_fails_keeps_the_old_revision_serving(self):
        server = self.server()
        self.apply(server, self.write(SAYS % "first"))
        self.apply(server, self.write("sys.exit('broken on arrival')\n"), expect=1)
        self.assertEqual(self.said(server), "first")
        self.apply(server, self.write(SAYS % "third"))
        self.assertEqual(self.said(server), "third")

    def test_a_service_that_is_no_longer_named_is_stopped(self):
        server = self.server()
        self.apply(server, self.write(SAYS % "first"))
        before = server.replica_pids("speaker")
        self.apply(server, write_project(self.folder, {}, {"nothing": {"steps": {"one": {"value": 1}}}}))
        until(lambda: not any(map(alive, before)), "its replica is gone")
        until(lambda: server.api("GET", "/services/speaker").status == 404, "it is no longer known")


if __name__ == "__main__":
    unittest.main()
