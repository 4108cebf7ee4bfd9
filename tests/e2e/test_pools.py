"""Pools, seen from the service: never more calls at once than permits, never more in a time than the rate, never more than the budget."""

import json
import unittest
from collections import defaultdict

from harness import Case, lines_of, until, write_project, write_service

STEPS = 50

WORK = """
import threading, time

lock = threading.Lock()

def work(body):
    note(os.environ["SEEN"], {"what": "begin", "at": time.monotonic(), "pid": os.getpid()})
    time.sleep(body.get("takes_s", 0))
    note(os.environ["SEEN"], {"what": "end", "at": time.monotonic(), "pid": os.getpid()})
    return {"used": body.get("used", 1)}

def later(body):
    note(os.environ["SEEN"], {"what": "later", "token": caller.headers["Consort-Token"]})
    raise Refuse(202)

serve(work=work, later=later, limited=work)
"""


def most_at_once(lines):
    """The most calls that one process of the service had in hand at a time."""
    now, most = defaultdict(int), 0
    for line in sorted((line for line in lines if "at" in line), key=lambda line: line["at"]):
        now[line["pid"]] += 1 if line["what"] == "begin" else -1
        most = max(most, now[line["pid"]])
    return most


class Pools(Case):
    def project(self, pools, workflows, **operation):
        seen = self.folder / "seen"
        body = {"takes_s?": "number", "used?": "number"}
        operations = {"work": {"input": body, "output": {"used": "number"}}, "later": {"input": body, "heartbeat": "10m", "timeout": "10m"}}
        operations["limited"] = {"input": body, "output": {"used": "number"}, **operation}
        worker = write_service(self.folder, "worker", WORK, environment={"SEEN": str(seen)}, scale={"min": 1, "max": 1, "concurrency": 64}, operations=operations)
        return write_project(self.folder, {"worker": worker}, workflows, pools=pools), seen

    def pool(self, server, name):
        return next(pool for pool in server.get("/pools")["items"] if pool["name"] == name)

    def deployed(self, *arguments, **operation):
        project, seen = self.project(*arguments, **operation)
        server = self.server()
        self.apply(server, project)
        return server, project, seen

    def assertFree(self, server, name):
        pool = self.pool(server, name)
        self.assertEqual((pool["used"], pool["holder_count"], pool["waiter_count"]), (0, 0, 0), pool)


def each(count, call, **step):
    return {"for_each": "${input.items}", "max_parallel": count, "call": call, "with": {"takes_s": "${input.takes_s}"}, **step}


WIDE = {"input": {"items": ["integer"], "takes_s": "number"}}


class Permits(Pools):
    def test_two_permits_let_two_calls_in_whoever_is_killed(self):
        server, _, seen = self.deployed({"gpu": 2}, {"wide": {**WIDE, "steps": {"each": each(STEPS, "worker.work", use={"gpu": 1})}}})
        run = server.begin("wide", {"items": list(range(STEPS)), "takes_s": 0.2})["id"]

        def waits():
            reasons = [step["waiting_on"] for step in server.steps(run).values() if step["waiting_on"]]
            return next((reason for reason in reasons if reason["kind"] == "pool" and reason["ahead"]), None)

        reason = until(waits, "a step waits for the pool")
        self.assertEqual(reason["name"], "gpu")
        self.assertRegex(reason["detail"], r"^pool `gpu` is full \(2 of 2\): held by `each\[\d+\]` of run_\w+, `each\[\d+\]` of run_\w+; \d+ ahead$")
        pool = self.pool(server, "gpu")
        self.assertEqual((pool["size"], pool["used"], pool["holder_count"]), (2, 2, 2))
        self.assertEqual(pool["holders"][0]["run"], run)
        self.assertGreater(pool["waiter_count"], 10)
        shown = server.cli("pools")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn("2 of 2", shown.stdout)
        self.assertEqual(json.loads(server.cli("pools", "--json").stdout)["items"][0]["name"], "gpu")

        for _ in range(2):
            before = len(lines_of(seen))
            until(lambda before=before: len(lines_of(seen)) > before + 6, "some calls are made")
            server.kill()
            server.start()
        self.assertEqual(server.ended(run)["state"], "succeeded")
        lines = lines_of(seen)
        self.assertEqual(most_at_once(lines), 2)
        self.assertGreaterEqual(sum(line["what"] == "begin" for line in lines), STEPS)
        self.assertFree(server, "gpu")

    def test_a_call_that_was_answered_202_holds_its_permit_until_it_is_complete(self):
        steps = {"first": {"call": "worker.later", "use": {"gpu": 1}}, "second": {"call": "worker.work", "use": {"gpu": 1}}}
        server, _, seen = self.deployed({"gpu": 1}, {"slow": {"steps": {"first": steps["first"]}}, "quick": {"steps": {"second": steps["second"]}}})
        slow = server.begin("slow")["id"]
        token = until(lambda: [line["token"] for line in lines_of(seen) if line["what"] == "later"], "the service took the call")[0]
        until(lambda: server.step(slow, "first")["state"] == "running", "the call is answered later")
        quick = server.begin("quick")["id"]
        until(lambda: self.pool(server, "gpu")["waiter_count"] == 1, "the second waits")
        server.kill()
        server.start()
        until(lambda: self.pool(server, "gpu")["waiter_count"] == 1, "the second waits again")
        self.assertEqual(self.pool(server, "gpu")["holders"][0]["step"], "first")
        self.assertEqual(most_at_once(lines_of(seen)), 0)
        self.assertEqual(server.api("POST", f"/attempts/{token}/complete", {"output": None}).status, 200)
        self.assertEqual([server.ended(run)["state"] for run in (slow, quick)], ["succeeded", "succeeded"])
        self.assertFree(server, "gpu")

    def test_a_run_that_is_cancelled_leaves_no_permit_behind(self):
        server, _, _ = self.deployed({"gpu": 2}, {"wide": {**WIDE, "steps": {"each": each(STEPS, "worker.work", use={"gpu": 1})}}})
        run = server.begin("wide", {"items": list(range(STEPS)), "takes_s": 30})["id"]
        until(lambda: self.pool(server, "gpu")["waiter_count"] == STEPS - 2, "the others wait")
        self.assertEqual(server.act(run, "cancel").status, 200)
        self.assertEqual(server.ended(run)["state"], "cancelled")
        until(lambda: self.pool(server, "gpu")["used"] == 0, "the permits are free")
        self.assertFree(server, "gpu")

    def test_an_operation_has_its_permits_whoever_calls_it(self):
        steps = {"each": each(20, "worker.limited")}
        server, _, seen = self.deployed({"gpu": 2}, {"wide": {**WIDE, "steps": steps}}, use={"gpu": 1})
        run = server.begin("wide", {"items": list(range(20)), "takes_s": 0.05})["id"]
        direct = server.api("POST", "/services/worker/operations/limited", {"takes_s": 0.05})
        self.assertEqual((direct.status, direct.json), (200, {"used": 1}))
        self.assertEqual(server.ended(run)["state"], "succeeded")
        self.assertEqual(most_at_once(lines_of(seen)), 2)
        self.assertFree(server, "gpu")

    def test_more_than_a_pool_has_fails_the_step_and_a_number_is_found_by_check(self):
        workflow = {"input": {"n": "number"}, "steps": {"it": {"call": "worker.work", "use": {"gpu": "${input.n}"}}}}
        server, project, _ = self.deployed({"gpu": 2}, {"some": workflow})
        for wanted, code in ((3, "E_POOL_TOO_SMALL"), (0, "E_POOL_AMOUNT"), (-1, "E_POOL_AMOUNT")):
            self.assertEqual(server.run("some", {"n": wanted})["error"]["code"], code)
        self.assertEqual(server.run("some", {"n": 0.5})["state"], "succeeded")
        write_project(project, {}, {"some": {"steps": {}}}, pools={"gpu": 2})
        self.project({"gpu": 2}, {"some": {"steps": {"it": {"call": "worker.work", "use": {"gpu": 3}}}}})
        self.assertIn("E_RESOURCES", server.cli("check", project).stderr + server.cli("check", project).stdout)


class Rates(Pools):
    def test_a_rate_holds_in_any_second(self):
        rate, calls = 10, 30
        server, _, seen = self.deployed({"llm": {"rate": f"{rate}/1s"}}, {"wide": {**WIDE, "steps": {"each": each(calls, "worker.work", use={"llm": 1})}}})
        run = server.run("wide", {"items": list(range(calls)), "takes_s": 0})
        self.assertEqual(run["state"], "succeeded")
        begun = sorted(line["at"] for line in lines_of(seen) if line["what"] == "begin")
        self.assertEqual(len(begun), calls)
        # What the service sees is later than what was sent, by a little more or less: a tenth is allowed for that.
        most = max(sum(at <= other < at + 0.9 for other in begun) for at in begun)
        self.assertLessEqual(most, rate)
        self.assertGreater(begun[-1] - begun[0], 1.8)


class Budgets(Pools):
    WORKFLOW = {
        "input": {"items": ["integer"], "takes_s": "number"},
        "steps": {"each": each(1, "worker.work", use={"spend": {"take": 30, "settle": "${output.used}"}}) | {"with": {"used": 10}}},
    }

    def budget(self, server):
        return self.pool(server, "spend")["budget"]

    def test_a_run_stands_still_for_an_empty_budget_until_somebody_gives_more(self):
        server, project, seen = self.deployed({"spend": {"budget": 100, "when_empty": "pause"}}, {"wide": self.WORKFLOW})
        # Each takes 30 and costs 10: seven leave 30, and the eighth makes 80; then 20 are too few.
        self.assertEqual(server.run("wide", {"items": list(range(8)), "takes_s": 0})["state"], "succeeded")
        self.assertEqual((self.budget(server)["spent"], self.budget(server)["left"]), (80, 20))
        server.kill()
        server.start()
        self.assertEqual(self.budget(server)["spent"], 80, "it survives the server")
        run = server.begin("wide", {"items": [1, 2], "takes_s": 0})["id"]
        paused = server.reaches(run, "paused")
        self.assertEqual((paused["waiting_on"]["kind"], paused["waiting_on"]["name"]), ("paused", "spend"))
        server.kill()
        server.start()
        self.assertEqual(server.get(f"/runs/{run}")["state"], "paused")
        added = server.cli("pools", "add", "spend", "10")
        self.assertEqual(added.returncode, 0, added.stderr)
        until(lambda: sum(line["what"] == "begin" for line in lines_of(seen)) == 9, "one more call is made")
        server.reaches(run, "paused")
        self.project({"spend": {"budget": 200, "when_empty": "pause"}}, {"wide": self.WORKFLOW})
        self.apply(server, project)
        self.assertEqual(server.ended(run)["state"], "succeeded")
        self.assertEqual(self.budget(server)["spent"], 100)

    def test_an_empty_budget_fails_the_step_where_the_file_says_so(self):
        server, _, _ = self.deployed({"spend": {"budget": 50, "when_empty": "fail"}}, {"wide": self.WORKFLOW})
        failed = server.run("wide", {"items": list(range(8)), "takes_s": 0})
        self.assertEqual((failed["state"], failed["error"]["code"], failed["error"]["kind"]), ("failed", "E_BUDGET_EMPTY", "limit"))
        self.assertEqual(self.budget(server)["spent"], 30)

    def test_each_run_has_the_pools_of_its_workflow_for_itself(self):
        workflow = {**self.WORKFLOW, "pools": {"spend": {"budget": 50, "when_empty": "fail"}}}
        server, _, _ = self.deployed({}, {"wide": workflow})
        for _ in range(2):
            self.assertEqual(server.run("wide", {"items": [1, 2, 3], "takes_s": 0})["state"], "succeeded")
        self.assertEqual(server.run("wide", {"items": [1, 2, 3, 4], "takes_s": 0})["error"]["code"], "E_BUDGET_EMPTY")
        until(lambda: server.get("/pools")["items"] == [], "they are gone with their runs")

    def test_children_share_the_pools_of_the_run_above_them(self):
        inner = {**WIDE, "steps": {"it": {"call": "worker.work", "with": {"used": 10}, "use": {"spend": {"take": 30, "settle": "${output.used}"}}}}}
        child = {"run": "inner", "with": {"items": [], "takes_s": 0}}
        steps = {"a": child, "b": {**child, "after": ["a"]}, "c": {**child, "after": ["b"]}, "d": {**child, "after": ["c"]}}
        outer = {"pools": {"spend": {"budget": 50, "when_empty": "fail"}}, "steps": steps}
        server, _, _ = self.deployed({}, {"inner": inner, "outer": outer})
        failed = server.run("outer")
        self.assertEqual((failed["state"], failed["error"]["code"]), ("failed", "E_BUDGET_EMPTY"))
        self.assertEqual([step["state"] for step in server.steps(failed["id"]).values()], ["succeeded"] * 3 + ["failed"])
        self.assertEqual(server.run("inner", {"items": [], "takes_s": 0})["error"]["code"], "E_NO_POOL")


if __name__ == "__main__":
    unittest.main()
