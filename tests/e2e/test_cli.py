"""The commands: what they print, and the exit codes that scripts go by."""

import json
import re
import unittest

from harness import Case, SharedServer, consort, free_port, until, write_project, write_service

BAD = """\
name: bad
services:
  greeter:
    source: ./services/greeter
    comand: python3 greeter.py
    operations:
      greet: { input: { name: string }, output: { text: string } }
workflows:
  hello:
    input: { name: string }
    steps:
      greeting:
        call: greeter.greet
        with: { name: "${input.nmae}" }
      size:
        call: greeter.cuont
        with: { text: "${greeting.text}" }
      loop_a: { value: "${loop_b}" }
      loop_b: { value: "${loop_a}" }
"""

SERVICE = """
import urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

def length(body):
    print("measuring", body["doc"]["name"], flush=True)
    return {"bytes": len(opener.open(body["doc"]["url"]).read())}

def refuse(body):
    raise Refuse(422, "refused", "never again")

serve(length=length, refuse=refuse)
"""


class ACheck(Case):
    def bad(self):
        (self.folder / "consort.yaml").write_text(BAD)
        (self.folder / "services/greeter").mkdir(parents=True)
        return self.folder

    def test_each_mistake_is_shown_where_it_stands_with_a_hint(self):
        checked = consort("check", self.bad())
        self.assertEqual(checked.returncode, 2)
        said = checked.stdout + checked.stderr
        for place in (r"consort\.yaml:5:5\b", r"consort\.yaml:14:\d+\b", r"consort\.yaml:16:\d+\b", r"consort\.yaml:1[89]:\d+\b"):
            self.assertRegex(said, place)
        self.assertIn("comand: python3 greeter.py", said)
        self.assertIn("^^^^^^", said)
        for hint in ("command", "name", "greet"):
            self.assertIn(hint, said)

    def test_as_json_each_problem_has_its_place_and_code(self):
        checked = consort("check", self.bad(), "--json")
        self.assertEqual(checked.returncode, 2)
        problems = json.loads(checked.stdout)["problems"]
        places = [(problem["file"], problem["line"], problem["column"]) for problem in problems]
        self.assertEqual(places, sorted(places))
        self.assertEqual(len(places), len(set(places)), "each once")
        for problem in problems:
            self.assertRegex(problem["code"], "^[EW]_")
            self.assertEqual(problem["severity"], "error")
        self.assertLessEqual({5, 14, 16}, {problem["line"] for problem in problems})

    def test_a_folder_without_a_project_and_a_file_that_is_no_yaml_are_named(self):
        empty = consort("check", self.folder)
        self.assertEqual(empty.returncode, 2)
        self.assertIn("consort.yaml", empty.stderr)
        for text in ("name: [", "name: x\nname: y\n", "", "\0\0", "- 1\n", "a: &a [*a, *a]\n"):
            with self.subTest(text=text):
                (self.folder / "consort.yaml").write_text(text)
                checked = consort("check", self.folder)
                self.assertEqual(checked.returncode, 2, checked)
                self.assertIn("consort.yaml", checked.stdout + checked.stderr)

    def test_usage_that_does_not_fit_is_code_2(self):
        for arguments in (["nonsense"], ["run"], ["check", "--jsn"], ["server", "--listen", "nowhere"]):
            self.assertEqual(consort(*arguments, folder=self.folder).returncode, 2, arguments)

    def test_without_a_server_the_code_is_3_and_the_message_says_what_to_do(self):
        nowhere = {"CONSORT_SERVER": f"http://127.0.0.1:{free_port()}"}
        for arguments in (["runs", "list"], ["run", "hello"], ["services", "list"]):
            said = consort(*arguments, folder=self.folder, environment=nowhere)
            self.assertEqual(said.returncode, 3, said)
            self.assertIn("consort", said.stderr)
            self.assertEqual(said.stdout, "")

    def test_the_schema_is_json_and_completions_are_a_script(self):
        self.assertIn("properties", json.loads(consort("schema").stdout))
        completions = consort("completions", "bash")
        self.assertEqual(completions.returncode, 0)
        self.assertIn("complete", completions.stdout)


class ACommand(SharedServer):
    @classmethod
    def project(cls, folder):
        worker = write_service(folder, "worker", SERVICE, operations={"length": {"input": {"doc": "file"}, "output": {"bytes": "integer"}}, "refuse": {}})
        write_project(folder, {"worker": worker}, {
            "measure": {"input": {"doc": "file", "times": "integer", "loud?": "boolean"}, "steps": {"it": {"call": "worker.length", "with": {"doc": "${input.doc}"}}}, "output": "${it.bytes * input.times}"},
            "refused": {"steps": {"it": {"call": "worker.refuse"}}},
            "asks": {"steps": {"answer": {"await": {"approval": {"ask": "Go on?", "form": {"approved": "boolean"}}}}}, "output": "${answer.approved}"},
            "forms": {"input": {"doc": "file"}, "steps": {"one": {"call": "worker.length", "with": {"doc": "${input.doc}"}}, "two": {"value": "${one.bytes}"}}},
        }, name="commands")  # fmt: skip

    def cli(self, *arguments, expect=0, **options):
        done = self.shared.cli(*arguments, **options)
        self.assertEqual(done.returncode, expect, f"{arguments}\n{done.stdout}\n{done.stderr}\n{self.shared.words()}")
        return done

    def document(self, text="x" * 1000):
        document = self.folder / "doc.txt"
        document.write_text(text)
        return document

    def test_run_uploads_a_file_and_its_last_line_is_the_run(self):
        done = self.cli("run", "measure", "-i", f"doc=@{self.document()}", "-i", "times=3", "--json")
        run = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual((run["state"], run["output"], run["input"]["doc"]["name"]), ("succeeded", 3000, "doc.txt"))

    def test_a_run_that_failed_is_code_1_and_says_why(self):
        done = self.cli("run", "refused", expect=1)
        self.assertIn("never again", done.stdout + done.stderr)

    def test_input_that_does_not_fit_is_code_2_and_each_field_is_named(self):
        for field, value in (("times", "three"), ("tmies", "1")):
            self.assertIn(field, self.cli("run", "measure", "-i", f"{field}={value}", expect=2).stderr)
        both = self.cli("run", "measure", "--input", '{"times": "three", "tmies": 1}', expect=2)
        for field in ("times", "tmies", "doc"):
            self.assertIn(field, both.stderr)
        self.assertIn("doc", self.cli("run", "measure", "-i", "times=3", expect=2).stderr)
        missing = self.cli("run", "measure", "-i", "doc=@/no/such/file", "-i", "times=3", expect=2)
        self.assertIn("/no/such/file", missing.stderr)

    def test_what_is_not_there_is_code_4(self):
        for arguments in (["run", "nothing"], ["runs", "show", "run_00000000000000000000000000000000"], ["services", "show", "nobody"], ["workflows", "show", "nothing"]):
            self.cli(*arguments, expect=4)

    def test_the_time_to_wait_is_over_is_code_124_and_the_run_goes_on(self):
        done = self.cli("run", "asks", "--wait=200ms", "--json", expect=124)
        run = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual(run["waiting_on"]["kind"], "approval")
        self.cli("runs", "approve", run["id"], "-i", "approved=true")
        self.assertEqual(self.shared.ended(run["id"])["output"], True)

    def test_a_run_is_started_and_left_and_acted_on(self):
        run = re.search(r"run_\w+", self.cli("run", "asks", "--detach").stdout).group()
        self.shared.reaches(run, "waiting")
        self.cli("runs", "pause", run)
        self.cli("runs", "resume", run)
        self.cli("runs", "complete", run, "answer", "--output", '{"approved": false}')
        self.assertEqual(self.shared.ended(run)["output"], False)
        other = self.cli("run", "asks", "--detach", "--key", "one").stdout
        self.assertEqual(self.cli("run", "asks", "--detach", "--key", "one").stdout, other)
        other = re.search(r"run_\w+", other).group()
        self.cli("runs", "cancel", other)
        self.assertEqual(self.shared.ended(other)["state"], "cancelled")
        self.cli("runs", "watch", other, expect=1)

    def test_runs_are_listed_and_shown_also_as_json(self):
        run = json.loads(self.cli("run", "measure", "-i", f"doc=@{self.document()}", "-i", "times=1", "--tag", "by=ann", "--json").stdout.splitlines()[-1])["id"]
        self.assertIn(run, self.cli("runs", "list").stdout)
        page = json.loads(self.cli("runs", "list", "--tag", "by=ann", "--limit", 1, "--json").stdout)
        self.assertEqual([item["id"] for item in page["items"]], [run])
        self.assertIn("next_cursor", page)
        shown = json.loads(self.cli("runs", "show", run, "--json").stdout)
        self.assertIn(run, json.dumps(shown))
        self.assertIn("succeeded", self.cli("runs", "show", run).stdout)
        self.assertTrue(json.loads(self.cli("runs", "history", run, "--json").stdout)["items"])
        self.assertIn("next_cursor", json.loads(self.cli("runs", "logs", run, "--json").stdout))

    def test_services_and_workflows_are_listed_and_shown(self):
        self.assertIn("worker", self.cli("services", "list").stdout)
        self.assertEqual([item["name"] for item in json.loads(self.cli("services", "list", "--json").stdout)["items"]], ["worker"])
        self.assertIn("ready", self.cli("services", "show", "worker").stdout)
        self.cli("services", "logs", "worker")
        self.assertTrue(json.loads(self.cli("services", "revisions", "worker", "--json").stdout)["items"])
        self.assertEqual(json.loads(self.cli("services", "call", "worker.length", "-i", f"doc=@{self.document()}").stdout), {"bytes": 1000})
        self.cli("services", "call", "worker.refuse", expect=1)
        self.assertIn("forms", self.cli("workflows", "list").stdout)
        graph = self.cli("workflows", "graph", "forms").stdout
        self.assertIn("one", graph)
        self.assertTrue(json.loads(self.cli("workflows", "graph", "forms", "--json").stdout)["edges"])

    def test_artifacts_are_put_and_fetched(self):
        file = json.loads(self.cli("artifacts", "put", self.document("hello"), "--json").stdout)
        self.assertEqual(self.cli("artifacts", "get", file["artifact"]).stdout, "hello")
        self.cli("artifacts", "get", "sha256:" + "0" * 64, expect=4)

    def test_a_restarted_service_has_a_new_replica(self):
        before = self.shared.replica_pids("worker")
        self.cli("services", "restart", "worker")
        until(lambda: self.shared.replica_pids("worker") and not set(before) & set(self.shared.replica_pids("worker")), "a new replica")
        until(lambda: self.shared.service("worker")["state"] == "ready", "ready")


class AnApply(Case):
    def test_a_dry_run_shows_what_would_change_and_changes_nothing(self):
        server = self.server()
        project = write_project(self.folder, {}, {"one": {"steps": {"it": {"value": 1}}, "output": "${it}"}})
        dry = self.apply_dry(server, project)
        self.assertIn("one", dry)
        self.assertEqual(server.get("/workflows")["items"], [])
        self.apply(server, project)
        self.assertEqual(server.run("one")["output"], 1)
        again = self.apply_dry(server, project)
        self.assertIn("nothing", again.lower())

    def apply_dry(self, server, project):
        done = server.cli("apply", project, "--dry-run")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout + done.stderr

    def test_a_project_with_a_mistake_changes_nothing(self):
        server = self.server()
        self.apply(server, write_project(self.folder, {}, {"one": {"steps": {"it": {"value": 1}}, "output": "${it}"}}))
        self.apply(server, write_project(self.folder, {}, {"one": {"steps": {"it": {"value": "${tow}"}}}, "two": {"steps": {"it": {"value": 2}}}}), expect=2)
        self.assertEqual([item["name"] for item in server.get("/workflows")["items"]], ["one"])
        self.assertEqual(server.run("one")["output"], 1)

    def test_a_live_run_keeps_the_definition_that_it_started_with(self):
        asks = lambda output: {"asks": {"steps": {"it": {"await": {"signal": "go"}}}, "output": output}}
        server = self.server()
        self.apply(server, write_project(self.folder, {}, asks("first")))
        run = server.begin("asks")["id"]
        server.reaches(run, "waiting")
        self.apply(server, write_project(self.folder, {}, asks("second")))
        newer = server.begin("asks")["id"]
        for each in (run, newer):
            server.act(each, "signals/go", {})
        self.assertEqual([server.ended(each)["output"] for each in (run, newer)], ["first", "second"])

    def test_two_namespaces_live_side_by_side_and_must_be_named(self):
        server = self.server()
        for name in ("left", "right"):
            self.apply(server, write_project(self.folder / name, {}, {"who": {"steps": {"it": {"value": name}}, "output": "${it}"}}, name=name))
        self.assertProblem(server.api("POST", "/workflows/who/runs", {}), 409, "E_NAMESPACE_AMBIGUOUS")
        done = server.cli("run", "who", "--json", "-n", "right")
        self.assertEqual(json.loads(done.stdout.splitlines()[-1])["output"], "right")
        inside = server.cli("run", "who", "--json", folder=self.folder / "left")
        self.assertEqual(inside.returncode, 0, inside.stderr)
        self.assertEqual(json.loads(inside.stdout.splitlines()[-1])["output"], "left")


class TheTemplate(Case):
    def test_init_writes_a_project_that_dev_runs_at_once_and_reloads_on_save(self):
        folder = self.folder / "hello"
        folder.mkdir()
        self.assertEqual(consort("init", folder=folder).returncode, 0)
        again = consort("init", folder=folder)
        self.assertEqual(again.returncode, 2, "nothing is overwritten")
        self.assertEqual(consort("check", folder).returncode, 0)
        server = self.server("dev", folder)
        until(lambda: server.api("GET", "/services/greeter").status == 200 and server.service("greeter")["state"] == "ready", lambda: f"deployed\n{server.words()}")
        done = server.cli("run", "hello", "-i", "name=Ann", "--json", folder=folder)
        self.assertEqual(json.loads(done.stdout.splitlines()[-1])["output"]["text"], "Hello, Ann!", done.stderr)

        greeter = folder / "services/greeter/greeter.py"
        greeter.write_text(greeter.read_text().replace("Hello", "Welcome"))
        says = lambda: (server.run("hello", {"name": "Ann"})["output"] or {}).get("text")
        until(lambda: says() == "Welcome, Ann!", "the change is deployed")
        (folder / "consort.yaml").write_text("name: [")
        until(lambda: "E_YAML" in server.words(), lambda: f"the mistake is shown\n{server.words()}")
        self.assertEqual(says(), "Welcome, Ann!", "what was deployed goes on")


if __name__ == "__main__":
    unittest.main()
