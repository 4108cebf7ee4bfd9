"""Long loops, long waits, wide lists and deep groups: what grows does so within its bounds."""

import http.client
import json
import threading
import time
import unittest
from pathlib import Path

from harness import ENDED, Case, binary, lines_of, until, write_project, write_service

# A debug binary is here to be tried out by hand: it takes ten times as long.
IS_RELEASE = "release" in Path(binary()).parts
ITEMS = 100_000 if IS_RELEASE else 5_000
SLEEPERS = 10_000 if IS_RELEASE else 1_000
LONG_S = 300
MEMORY_MB_MAX = 300  # of a server with one run of 100,000 items

AGENT = """
def think(body):
    note(os.environ["EFFECTS"], effect())
    return {"say": f"turn {body['turn']}", "look_up": f"word {body['turn']}", "done": body["turn"] == 299}

def look_up(body):
    note(os.environ["EFFECTS"], effect())
    return {"text": body["what"].upper()}

serve(think=think, look_up=look_up)
"""

# Answers as fast as Python can: the list is what is measured, not the service.
QUICK = """
import os, re, socket, threading

def serve(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    waiting = b""
    while True:
        while (end := waiting.find(b"\\r\\n\\r\\n")) < 0:
            piece = connection.recv(65536)
            if not piece:
                return
            waiting += piece
        length = re.search(rb"(?i)content-length: *([0-9]+)", waiting[:end])
        whole = end + 4 + (int(length[1]) if length else 0)
        while len(waiting) < whole:
            waiting += connection.recv(65536)
        number = re.search(rb"[0-9]+", waiting[end + 4 : whole] or b"0")[0]
        body = b'{"n":' + str(2 * int(number)).encode() + b"}"
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(body), body))
        waiting = waiting[whole:]

listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=256)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


def memory_mb(server, what="VmHWM"):
    """The most memory that the server ever held (or holds now, by `VmRSS`), as the system counts it."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split(f"{what}:")[1].split()[0]) // 1024


def all_steps(server, run):
    """Every step of a run, page by page, and how many pages that were."""
    steps, cursor, pages = [], {}, 0
    while cursor is not None:
        page = server.get(f"/runs/{run}/steps", limit=500, **cursor)
        steps += page["items"]
        pages += 1
        cursor = page["next_cursor"] and {"cursor": page["next_cursor"]}
    return steps, pages


def ended(server, run, deadline_s=LONG_S):
    """A long run once it has ended; asks seldom, so that the asking is not what is measured."""
    end = time.monotonic() + deadline_s
    while True:
        found = server.get(f"/runs/{run}")
        if found["state"] in ENDED:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"after {deadline_s} s still {found}\n{server.words()}")
        time.sleep(1)


class AnAgent(Case):
    def test_300_turns_end_and_each_call_of_each_turn_is_a_step(self):
        effects = self.folder / "effects"
        agent = write_service(self.folder, "agent", AGENT, environment={"EFFECTS": str(effects)}, operations={
            "think": {"input": {"turn": "integer", "heard": "string"}, "output": {"say": "string", "look_up": "string", "done": "boolean"}},
            "look_up": {"input": {"what": "string"}, "output": {"text": "string"}},
        })  # fmt: skip
        turns = {
            "carry": {"heard": "", "size": 0},
            "max": 500,
            "steps": {
                "thought": {"call": "agent.think", "with": {"turn": "${index}", "heard": "${carry.heard}"}},
                "found": {"call": "agent.look_up", "with": {"what": "${thought.look_up}"}},
            },
            "until": "thought.done",
            "next": {"heard": "${found.text}", "size": "${carry.size + size(found.text)}"},
        }
        talk = {"steps": {"talk": {"loop": turns, "output": {"said": "${thought.say}", "heard": "${carry.heard}"}}}, "output": "${talk}"}
        server = self.server()
        self.apply(server, write_project(self.folder, {"agent": agent}, {"talk": talk}))
        run = server.begin("talk")["id"]
        until(lambda: len(lines_of(effects)) > 200, "the agent is in the middle of it")
        server.kill()
        server.start()
        run = ended(server, run)
        self.assertEqual((run["state"], run["output"]), ("succeeded", {"said": "turn 299", "heard": "WORD 298"}), run["error"])
        steps, pages = all_steps(server, run["id"])
        self.assertGreater(pages, 1)
        calls = {step["key"]: step for step in steps if step["kind"] == "call"}
        self.assertEqual(set(calls), {f"talk[{turn}].{call}" for turn in range(300) for call in ("thought", "found")})
        self.assertEqual({step["state"] for step in calls.values()}, {"succeeded"})
        self.assertEqual(calls["talk[7].thought"]["input"], {"turn": 7, "heard": "WORD 6"})
        self.assertEqual(calls["talk[7].found"]["output"], {"text": "WORD 7"})
        keys = {(line["step"], line["key"]) for line in lines_of(effects)}
        self.assertEqual(len(keys), 600, "each turn's call has one key of its own, across the kill too")


class RunsThatSleepForMonths(Case):
    def test_they_survive_a_restart_hold_no_slot_and_take_no_memory_to_speak_of(self):
        one = write_service(self.folder, "one", "serve(ask=lambda body: {})", scale={"concurrency": 1}, operations={"ask": {}})
        server = self.server()
        self.apply(server, write_project(self.folder, {"one": one}, {
            "sleeps": {"steps": {"before": {"call": "one.ask"}, "nap": {"after": ["before"], "wait": "90d"}}},
            "naps": {"steps": {"nap": {"wait": "90d"}}},
            "asks": {"steps": {"it": {"call": "one.ask"}}},
        }))  # fmt: skip
        first = server.begin("sleeps")["id"]
        self.begin_many(server, "naps", 100)
        before = memory_mb(server, "VmRSS")
        self.begin_many(server, "naps", SLEEPERS)
        grown = memory_mb(server, "VmRSS") - before
        print(f"\n  {SLEEPERS} sleeping runs take {grown} MB", flush=True)
        self.assertLess(grown * 1024 / SLEEPERS, 12, "KiB a sleeping run")
        server.reaches(first, "waiting")
        self.assertEqual(server.run("asks")["state"], "succeeded", "the only slot is free")

        server.kill()
        server.start()
        print(f"  ready {server.ready_after_s:.2f} s after the restart", flush=True)
        self.assertEqual(server.run("asks")["state"], "succeeded", "the only slot is free after the restart")
        run = server.reaches(first, "waiting")
        waiting = server.step(first, "nap")["waiting_on"]
        self.assertEqual((run["waiting_on"]["kind"], waiting["kind"]), ("timer", "timer"))
        self.assertTrue(waiting["detail"])
        self.assertGreater(waiting["until"], waiting["since"])
        self.assertEqual(server.act(first, "cancel").status, 200)
        self.assertEqual(server.ended(first)["state"], "cancelled")

    def begin_many(self, server, workflow, count):
        """Starts runs over four connections that stay open."""
        refused = []

        def begin_some(some):
            connection = http.client.HTTPConnection("127.0.0.1", server.port)
            for _ in range(some):
                connection.request("POST", f"/api/v1/workflows/{workflow}/runs", b"{}", {"Content-Type": "application/json"})
                answer = connection.getresponse()
                body = answer.read()
                if answer.status != 201:
                    refused.append(body)
            connection.close()

        sides = [threading.Thread(target=begin_some, args=(count // 4,)) for _ in range(4)]
        for side in sides:
            side.start()
        for side in sides:
            side.join()
        self.assertEqual(refused[:1], [])


class AWideList(Case):
    def test_100000_items_complete_within_the_memory_that_is_promised(self):
        quick = write_service(self.folder, "quick", "", operations={"double": {"input": {"n": "integer"}, "output": {"n": "integer"}}}, scale={"concurrency": 64})
        (self.folder / "services/quick/service.py").write_text(QUICK)
        del quick["healthcheck"]
        wide = {
            "input": {"items": ["integer"]},
            "steps": {"each": {"for_each": "${input.items}", "max_parallel": 64, "call": "quick.double", "with": {"n": "${item}"}}},
            "output": {"items": "${size(each)}", "last": "${each[size(each) - 1].n}"},
        }
        server = self.server()
        self.apply(server, write_project(self.folder, {"quick": quick}, {"wide": wide}))
        began = time.monotonic()
        run = server.begin("wide", {"items": list(range(ITEMS))})["id"]
        run = ended(server, run)
        took = time.monotonic() - began
        self.assertEqual((run["state"], run["output"]), ("succeeded", {"items": ITEMS, "last": 2 * (ITEMS - 1)}), run["error"])
        most = memory_mb(server)
        print(f"\n  {ITEMS} items in {took:.1f} s ({ITEMS / took:.0f} a second), at most {most} MB", flush=True)
        self.assertLess(most, MEMORY_MB_MAX)
        first = server.get(f"/runs/{run['id']}/steps", limit=500)
        self.assertEqual([step["key"] for step in first["items"]][:3], ["each", "each[0]", "each[1]"])
        second = server.get(f"/runs/{run['id']}/steps", limit=500, cursor=first["next_cursor"])
        self.assertEqual(second["items"][0]["key"], "each[499]")
        self.assertLess(memory_mb(server), MEMORY_MB_MAX, "looking at it is within the bound, too")


class DeepAndLong(Case):
    def test_groups_nested_as_deep_as_may_be(self):
        deepest = {"value": "${input.n + 1}"}
        for _ in range(62):
            deepest = {"steps": {"g": deepest}, "output": "${g + 1}"}
        too_deep = {"steps": {"g": {"steps": {"g2": {"steps": {"g3": deepest}}}}}}
        server = self.server()
        project = write_project(self.folder, {}, {"deep": {"input": {"n": "integer"}, "steps": {"top": rename(deepest)}, "output": "${top}"}})
        self.apply(server, project)
        self.assertEqual(server.run("deep", {"n": 1})["output"], 64)
        checked = server.cli("check", write_project(self.folder, {}, {"deep": {"input": {"n": "integer"}, "steps": {"top": rename(too_deep)}}}))
        self.assertEqual(checked.returncode, 2)
        self.assertIn("E_LIMIT", checked.stderr + checked.stdout)

    def test_20000_steps_in_a_chain_of_groups(self):
        chain = {"s0": {"value": "${carry.n + 1}"}, **{f"s{n}": {"value": f"${{s{n - 1} + 1}}"} for n in range(1, 19)}}
        group = {"steps": chain, "output": "${s18}"}
        chained = {"loop": {"carry": {"n": 0}, "max": 1000, "steps": {"group": group}, "until": "index == 999", "next": {"n": "${group}"}}, "output": "${group}"}
        server = self.server()
        self.apply(server, write_project(self.folder, {}, {"long": {"steps": {"chain": chained}, "output": "${chain}"}, "quick": {"steps": {"a": {"value": 1}}}}))
        began = time.monotonic()
        run = server.begin("long")["id"]
        self.assertEqual(server.run("quick")["state"], "succeeded", "others are not held up")
        run = ended(server, run)
        print(f"\n  20,000 steps in {time.monotonic() - began:.1f} s", flush=True)
        self.assertEqual((run["state"], run["output"]), ("succeeded", 19_000))
        steps, _ = all_steps(server, run["id"])
        self.assertEqual(len(steps), 1 + 1000 * 20)


def rename(step, depth=0):
    """Gives the steps of nested groups names of their own: an inner one may not hide an outer one."""
    if "steps" not in step:
        return step
    ((_, inner),) = step["steps"].items()
    name = f"g{depth}"
    renamed = {"steps": {name: rename(inner, depth + 1)}}
    return {**renamed, "output": f"${{{name} + 1}}"} if "output" in step else renamed


if __name__ == "__main__":
    unittest.main()
