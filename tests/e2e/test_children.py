"""Runs that run others: the start and the end of a child survive whatever is killed in between."""

import unittest

from harness import Case, lines_of, until, write_project, write_service

BANK = """
import time

def effects(name):
    def make(body):
        note(os.environ["EFFECTS"], effect())
        time.sleep(0.3)
        if body.get("doomed"):
            raise Refuse(422, "doomed", "this one is doomed")
        return {"id": name}
    return make

serve(charge=effects("charge"), refund=effects("refund"), ship=effects("ship"))
"""


def shop(folder):
    effects = folder / "effects"
    bank = write_service(
        folder, "bank", BANK, environment={"EFFECTS": str(effects)},
        operations={
            "charge": {"input": {"n": "number"}}, "refund": {"input": {}}, "ship": {"input": {"doomed": "boolean"}},
        },
    )  # fmt: skip
    pay = {
        "input": {"n": "number"},
        "steps": {"charge": {"call": "bank.charge", "with": {"n": "${input.n}"}, "undo": {"call": "bank.refund", "with": {}}}},
        "output": {"paid": "${input.n}"},
    }
    order = {
        "input": {"ns": ["number"], "doomed": "boolean"},
        "steps": {
            "each": {"for_each": "${input.ns}", "run": "pay", "with": {"n": "${item}"}},
            "ship": {"after": ["each"], "call": "bank.ship", "with": {"doomed": "${input.doomed}"}},
        },
        "output": "${each.map(one, one.paid)}",
    }
    patient = {"steps": {"ask": {"run": "asked"}}}
    asked = {"steps": {"go": {"await": {"signal": "go"}}}}
    return write_project(folder, {"bank": bank}, {"pay": pay, "order": order, "patient": patient, "asked": asked}), effects


class ChildRuns(Case):
    def setUp(self):
        super().setUp()
        project, self.effects = shop(self.folder)
        self.server_ = self.server()
        self.apply(self.server_, project)

    def test_a_step_gives_what_its_child_gave_and_both_name_each_other(self):
        server = self.server_
        run = server.run("order", {"ns": [1, 2], "doomed": False})
        self.assertEqual((run["state"], run["output"]), ("succeeded", [1, 2]))
        child = server.step(run["id"], "each[1]")["child"]
        found = server.get(f"/runs/{child}")
        self.assertEqual(found["parent"], {"run": run["id"], "step": "each[1]"})
        self.assertEqual((found["trigger"]["kind"], found["trigger"]["run"]), ("run", run["id"]))
        self.assertIn(child, server.cli("runs", "show", run["id"]).stdout)
        self.assertIn(run["id"], server.cli("runs", "show", child).stdout)

    def test_children_survive_the_death_of_the_server_and_are_undone_with_their_parent(self):
        server = self.server_
        runs = [server.begin("order", {"ns": [1, 2, 3], "doomed": doomed})["id"] for doomed in (False, True)]
        for seen in (1, 4, 7):
            until(lambda seen=seen: len(lines_of(self.effects)) >= seen, f"{seen} effects")
            server.kill()
            server.start()
        good, bad = (server.ended(run) for run in runs)
        self.assertEqual((good["state"], good["output"]), ("succeeded", [1, 2, 3]))
        self.assertEqual((bad["state"], bad["undo"], bad["error"]["step"]), ("failed", "complete", "ship"))
        for parent, state in ((good, "none"), (bad, "complete")):
            children = [server.step(parent["id"], f"each[{n}]")["child"] for n in range(3)]
            self.assertEqual(len(set(children)), 3)
            for child in children:
                until(lambda child=child, state=state: server.get(f"/runs/{child}")["undo"] == state, f"{child} {state}")
        self.assertEqual(len(server.get("/runs", workflow="pay")["items"]), 6, "no child was started twice")

    def test_a_wait_says_what_the_child_waits_for_and_a_cancel_goes_down(self):
        server = self.server_
        run = server.begin("patient")["id"]
        waiting = lambda: server.get(f"/runs/{run}").get("waiting_on") or {}  # noqa: E731
        until(lambda: "the signal `go`" in waiting().get("detail", ""), lambda: f"a reason, not {waiting()}")
        child = server.step(run, "ask")["child"]
        self.assertEqual((waiting()["kind"], waiting()["name"]), ("run", child))
        self.assertEqual(server.act(run, "pause").status, 200)
        server.reaches(child, "paused")
        self.assertEqual(server.act(run, "resume").status, 200)
        server.reaches(child, "waiting")
        server.kill()
        server.start()
        self.assertEqual(server.act(child, "signals/go", {}).status, 200)
        self.assertEqual(server.ended(run)["state"], "succeeded")
        other = server.begin("patient")["id"]
        child = until(lambda: server.step(other, "ask")["child"], "the child is there")
        self.assertEqual(server.act(other, "cancel").status, 200)
        self.assertEqual((server.ended(other)["state"], server.get(f"/runs/{child}")["state"]), ("cancelled", "cancelled"))


if __name__ == "__main__":
    unittest.main()
