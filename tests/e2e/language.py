"""The language in a table: a workflow for each step kind and each modifier, with what must come of it.

`test_language.py` runs every row against real services, `test_language_crash.py` runs them all at once and
kills the server in the middle. A row says which steps must have called the services, and how often under
a key of its own; so a call that is made again after a crash counts once, and one that is made twice does not.
"""

from collections import Counter
from dataclasses import dataclass, field

from harness import lines_of, write_script, write_service

# A call's name says what it does: `busy-2` is busy twice, `bad` refuses, `slow` takes longer than any timeout here.
WORKER = """
import time

def work(body):
    note(os.environ["EFFECTS"], {**effect(), "name": body["name"]})
    name, takes_s = body["name"], float(os.environ["TAKES_S"])
    if name == "slow":
        time.sleep(20)
    if name == "long":
        time.sleep(8 * takes_s)
    time.sleep(takes_s)
    if name == "bad":
        raise Refuse(422, "bad", "this one is bad")
    if name.startswith("busy-"):
        tries = [line for line in open(os.environ["EFFECTS"]) if json.loads(line)["key"] == caller.headers["Idempotency-Key"]]
        if len(tries) <= int(name[5:]):
            raise Refuse(503, "busy", "come back later")
    return {"name": name, "size": len(name)}

def undo(body):
    note(os.environ["EFFECTS"], {**effect(), "name": body["name"]})
    return {}

def find(body):
    note(os.environ["EFFECTS"], {**effect(), "name": "find"})
    made = [line for line in map(json.loads, open(os.environ["EFFECTS"])) if line["key"] == body["key"]]
    return {"name": made[0]["name"], "size": 0} if made else None

serve(work=work, undo=undo, find=find)
"""

SCRIPT = """
read -r input
echo "{\\"run\\": \\"$CONSORT_RUN\\", \\"step\\": \\"$CONSORT_STEP\\", \\"attempt\\": \\"$CONSORT_ATTEMPT\\", \\"key\\": \\"$IDEMPOTENCY_KEY\\", \\"operation\\": \\"$CONSORT_OPERATION\\", \\"name\\": \\"script\\"}" >> "$EFFECTS"
sleep "$TAKES_S"
echo '{"name": "script", "size": 6}'
"""


def services(folder, effects, takes_s):
    environment = {"EFFECTS": str(effects), "TAKES_S": str(takes_s)}
    name, answer = {"name": "string"}, {"name": "string", "size": "integer"}
    operations = {"work": {"input": name, "output": answer, "timeout": "30s"}, "undo": {"input": name}, "find": {"input": {"key": "string"}}}
    return {
        "worker": write_service(folder, "worker", WORKER, environment=environment, operations=operations, scale={"concurrency": 64}),
        "script": write_script(folder, "script", SCRIPT, environment=environment, operations={"work": {"input": name, "output": answer}}, scale={"concurrency": 8}),
    }


@dataclass
class Row:
    """A workflow, and what must come of a run of it."""

    workflow: dict
    output: object = None
    calls: list = field(default_factory=list)  # step keys, once for each Idempotency-Key
    undone: list = field(default_factory=list)  # step keys of undos, in their order
    error: str = ""  # the code that the run fails with
    state: str = ""
    acts: list = field(default_factory=list)  # (route, body) that the run is waiting for, in their order
    input: dict = field(default_factory=dict)
    perhaps: list = field(default_factory=list)  # step keys that may have called besides, after a kill
    once: list = field(default_factory=list)  # step keys whose call must not be seen twice, whatever happened

    @property
    def expected_state(self):
        return self.state or ("failed" if self.error else "succeeded")


def work(name, **more):
    return {"call": "worker.work", "with": {"name": name}, **more}


def undoable(name, **more):
    return work(name, undo={"call": "worker.undo", "with": {"name": "${output.name}"}}, **more)


def flow(output=None, **steps):
    """A workflow of these steps; keys that are not of a step stand in `also`."""
    also = steps.pop("also", {})
    return {"steps": steps, **({} if output is None else {"output": output}), **also}


FIND = {"resolve": {"call": "worker.find", "with": {"key": "${key}"}}}
AFTER_A = {"after": ["a"]}
TWICE = {"retry": {"attempts": 3, "delay": "20ms"}}

ROWS = {
    # kinds
    "call": Row(flow("${a.size}", a=work("ab")), 2, ["a"]),
    "call-exec": Row(flow("${a.size}", a={"call": "script.work", "with": {"name": "x"}}), 6, ["a"]),
    "call-with-expression": Row(
        flow("${b.name}", a={"value": {"name": "given"}}, b={"call": "worker.work", "with": "${a}"}), "given", ["b"]),
    "call-output": Row(flow("${a}", a=work("abc", output="${output.size * 2}")), 6, ["a"]),
    "call-key-by-hand": Row(flow("${b.name}", a=work("x", key="by-hand-1"), b=work("x", key="by-hand-1", **AFTER_A)), "x", ["a", "b"]),
    "steps": Row(flow("${g.b}", g={"steps": {"a": work("x"), "b": {"value": "${a.name + '!'}"}}}), "x!", ["g.a"]),
    "steps-output": Row(flow("${g}", g={"steps": {"a": work("x")}, "output": "${a.size + 1}"}), 2, ["g.a"]),
    "switch-first": Row(
        flow("${s.name}", a=work("x"), s={"switch": [{"when": "a.size == 1", **work("one")}, {"else": None, **work("more")}]}), "one", ["a", "s[0]"]),
    "switch-else": Row(
        flow("${s.name}", a=work("xx"), s={"switch": [{"when": "a.size == 1", **work("one")}, {"else": work("more")}]}), "more", ["a", "s.else"]),
    "switch-none": Row(flow("${s == null}", s={"switch": [{"when": "false", **work("one")}]}), True, []),
    "value": Row(flow("${v}", a=work("x"), v={"value": {"list": ["${a.size}", 2], "text": "is ${a.size}"}}), {"list": [1, 2], "text": "is 1"}, ["a"]),
    "wait": Row(flow("${b.name}", a=work("x"), w={"wait": "300ms", **AFTER_A}, b=work("y", after=["w"])), "y", ["a", "b"]),
    "wait-until": Row(flow("${b.name}", w={"wait": {"until": "${run.started_at + duration('500ms')}"}}, b=work("y", after=["w"])), "y", ["b"]),
    "await-signal": Row(
        flow("${s.word + b.name}", a=work("x"), s={"await": {"signal": "go"}, **AFTER_A}, b=work("y", after=["s"])), "hey", ["a", "b"],
        acts=[("signals/go", {"word": "he"})]),
    "await-approval": Row(
        flow("${s.approved}", a=work("x"), s={"await": {"approval": {"ask": "Go?"}}, **AFTER_A}), True, ["a"], acts=[("steps/s/complete", {"output": {"approved": True}})]),
    "await-timeout": Row(flow("${s}", s={"await": {"signal": "never"}, "timeout": "400ms", "on_timeout": "late"}), "late", []),
    "await-timeout-fails": Row(flow(s={"await": {"signal": "never"}, "timeout": "400ms"}), None, [], error="E_STEP_TIMEOUT"),
    "loop": Row(
        flow("${l.sum}", l={"loop": {"carry": {"sum": 0}, "max": 9, "steps": {"a": work("abc")}, "until": "carry.sum + a.size >= 9",
                                     "next": {"sum": "${carry.sum + a.size}"}}, "output": {"sum": "${carry.sum + a.size}"}}),
        9, ["l[0].a", "l[1].a", "l[2].a"]),
    "loop-max": Row(flow(l={"loop": {"max": 2, "steps": {"a": undoable("x")}, "until": "false"}}), None, ["l[0].a", "l[1].a"],
                    ["l[1].a.undo", "l[0].a.undo"], error="E_TOO_MANY_TURNS"),
    "fail": Row(flow(a=undoable("x"), f={"fail": {"code": "NO", "message": "no"}, **AFTER_A}), None, ["a"], ["a.undo"], error="NO"),
    # order
    "order-of-data": Row(flow("${c.name}", c=work("${b.name}c"), b=work("${a.name}b"), a=work("a")), "abc", ["a", "b", "c"]),
    "from-inside-a-group": Row(
        flow("${g.deep.b.name}", a=work("x"), g={"steps": {"deep": {"steps": {"b": work("${a.name + 'y'}")}}}}), "xy", ["a", "g.deep.b"]),
    "when-false": Row(flow("${b.name}", a=work("x", when="false"), b=work("${a == null ? 'none' : 'some'}")), "none", ["b"]),
    # first
    "first-race": Row(
        flow("${[g.quick.name, g.long == null ? 'none' : 'late']}", g={"first": 1, "steps": {"quick": work("quick"), "long": {"wait": "1h"}}}), ["quick", "none"], ["g.quick"]),
    "first-deadline": Row(
        flow("${g.clock}", g={"first": 1, "steps": {"answer": {"await": {"signal": "never"}}, "clock": {"steps": {"t": {"wait": "300ms"}}, "output": "late"}}}), "late", []),
    "first-escalation": Row(
        flow("${g.boss.name}", g={"first": 1, "steps": {
            "clerk": {"await": {"approval": {"ask": "All right?"}}},
            "boss": {"steps": {"patience": {"wait": "400ms"}, "told": work("boss", after=["patience"])}, "output": "${told}"}}}),
        "boss", ["g.boss.told"]),
    "first-undoes-the-losers": Row(
        flow("${g.b.name}", g={"first": 1, "steps": {
            "a": {"steps": {"u": work("u", undo={"call": "worker.undo", "with": {"name": "u"}}), "w": {"wait": "1h", "after": ["u"]}}},
            "b": {"steps": {"w": {"wait": "2s"}, "x": work("b", after=["w"])}, "output": "${x}"}}}),
        "b", ["g.a.u", "g.b.x"], undone=["g.a.u.undo"]),
    "first-of-items": Row(
        flow("${size(e.filter(x, x != null))}", e={"for_each": ["200ms", "1h", "1h"], "first": 1, "wait": {"until": "${run.started_at + duration(item)}"}, "output": "done"}), 1, []),
    # for_each
    "item-after": Row(
        flow("${e.map(x, x.name)}", e={"for_each": [{"id": "c", "needs": ["a", "b"]}, {"id": "b", "needs": ["a"]}, {"id": "a", "needs": []}],
                                       "key": "${item.id}", "item_after": "${item.needs}", **work("${item.id}")}),
        ["c", "b", "a"], ["e[c]", "e[b]", "e[a]"]),
    "for-each": Row(flow("${e.map(x, x.name)}", e={"for_each": ["a", "b", "c"], "max_parallel": 2, **work("${item}${index}")}),
                    ["a0", "b1", "c2"], ["e[0]", "e[1]", "e[2]"]),
    "for-each-group": Row(flow("${e}", e={"for_each": ["a", "b"], "as": "it", "steps": {"x": work("${it}"), "y": work("${x.name}${it_index}")}, "output": "${y.name}"}),
                          ["a0", "b1"], ["e[0].x", "e[0].y", "e[1].x", "e[1].y"]),
    "for-each-nested": Row(
        flow("${e}", e={"for_each": [[1, 2], [3]], "as": "row", "steps": {"i": {"for_each": "${row}", **work("n${item}")}}, "output": "${i.map(x, x.name)}"}),
        [["n1", "n2"], ["n3"]], ["e[0].i[0]", "e[0].i[1]", "e[1].i[0]"]),
    "for-each-batch": Row(flow("${e.map(x, x.name)}", e={"for_each": [1, 2, 3], "batch": 2, **work("${item.map(x, string(x)).join('+')}")}), ["1+2", "3"], ["e[0]", "e[1]"]),
    "for-each-tolerate": Row(
        flow("${e.map(x, x == null)}", e={"for_each": ["a", "bad", "c"], "tolerate": 1, "steps": {"u": undoable("u${index}"), "x": work("${item}", after=["u"])}}),
        [False, True, False], ["e[0].u", "e[0].x", "e[1].u", "e[1].x", "e[2].u", "e[2].x"], ["e[1].u.undo"]),
    "for-each-tolerate-share": Row(flow("${size(e)}", e={"for_each": ["bad", "b", "c", "d"], "tolerate": "25%", **work("${item}")}), 4, ["e[0]", "e[1]", "e[2]", "e[3]"]),
    "for-each-empty": Row(flow("${e}", e={"for_each": [], **work("x")}), [], []),
    # calls in doubt
    "resolve": Row(flow("${a.name}", a=work("slow", timeout="1s", **FIND)), "slow", ["a", "a.resolve"]),
    "at-most-once": Row(flow("${a.name}", a=work("x", delivery="at_most_once", **FIND)), "x", ["a"], perhaps=["a.resolve"], once=["a"]),
    # time and retries
    "retry": Row(flow("${a.name}", a=work("busy-2", **TWICE)), "busy-2", ["a"]),
    "retry-when": Row(flow(a=work("busy-2", retry={"attempts": 3, "delay": "20ms", "when": "error.http_status == 500"})), None, ["a"], error="busy"),
    "retry-of-a-group": Row(
        flow("${g.b}", g={"steps": {"a": undoable("x"), "f": {"fail": {"message": "no"}, "when": "run.attempt > 9", **AFTER_A}, "b": {"value": "${a.name}"}}, **TWICE}), "x", ["g.a"]),
    "retry-clean": Row(
        flow(g={"steps": {"a": undoable("x"), "b": work("bad", **AFTER_A)}, "retry": {"attempts": 2, "delay": "20ms", "clean": True, "when": "true"}}),
        None, ["g.a", "g.b", "g.a", "g.b"], ["g.a.undo", "g.a.undo"], error="bad"),
    "timeout-of-a-group": Row(flow("${c}", c={"steps": {"w": {"wait": "1h"}}, "timeout": "300ms", "catch": {"value": "${error.kind}"}}), "timeout", []),
    "workflow-timeout": Row(flow(a=undoable("x"), w={"wait": "1h", **AFTER_A}, also={"timeout": "3s"}), None, ["a"], ["a.undo"], error="E_RUN_TIMEOUT", state="timed_out"),
    "workflow-retry": Row(flow(a=work("x"), b=work("bad", **AFTER_A), also={"retry": {"attempts": 2, "delay": "20ms", "when": "true"}}), None, ["a", "b"], error="bad"),
    # children: what they call is of their own runs
    "run": Row(flow("${c + b.name}", c={"run": "child", "with": {"name": "x"}}, b=work("b", after=["c"])), "xxb", ["b"]),
    "run-for-each": Row(flow("${e}", e={"for_each": ["a", "b", "c"], "run": "child", "with": {"name": "${item}"}}), ["aa", "bb", "cc"], []),
    "run-detached": Row(flow("${c.startsWith('run_')}", c={"run": "child", "with": {"name": "x"}, "detach": True}), True, []),
    "run-fails": Row(flow("${c}", c={"run": "child", "with": {"name": "bad"}, "catch": {"value": "${error.code}"}}), "bad", []),
    "run-undo-of-its-own": Row(
        flow(c={"run": "child", "with": {"name": "x"}, "undo": {"call": "worker.undo", "with": {"name": "${output}"}}}, f=work("bad", after=["c"])),
        None, ["f"], ["c.undo"], error="bad"),
    "concurrency": Row(
        flow("${e}", e={"for_each": ["a", "b", "c"], "run": "one-at-a-time", "with": {"name": "${item}"}}), ["a", "b", "c"], []),
    # events
    "emit-and-await": Row(
        flow("${w.data.n}", a=work("x"), e={"emit": {"type": "row.emitted", "data": {"n": "${a.size}", "run": "${run.id}"}}},
             w={"await": {"event": "row.emitted", "where": "event.data.run == run.id"}, "timeout": "60s"}), 1, ["a"]),
    # sharing
    "cache": Row(
        flow("${a.name + b.name}", a=work("cached", cache={"for": "1h", "key": "${run.id}"}), b=work("cached", cache={"for": "1h", "key": "${run.id}"}, **AFTER_A)),
        "cachedcached", ["a"]),
    "use": Row(flow("${e.map(x, x.name)}", e={"for_each": ["a", "b", "c"], **work("${item}", use={"seats": 1})}), ["a", "b", "c"], ["e[0]", "e[1]", "e[2]"]),
    "workflow-pools": Row(
        flow("${e.map(x, x.name)}", e={"for_each": ["a", "b"], **work("${item}", use={"mine": 1})}, also={"pools": {"mine": 1}}), ["a", "b"], ["e[0]", "e[1]"]),
    "priority": Row(flow("${a.name}", a=work("x", priority=50), also={"priority": 10}), "x", ["a"]),
    # failure
    "undo-in-reverse": Row(flow(a=undoable("a"), b=undoable("b", **AFTER_A), c=work("bad", after=["b"])), None, ["a", "b", "c"], ["b.undo", "a.undo"], error="bad"),
    "undo-of-a-group": Row(
        flow(g={"steps": {"a": undoable("a"), "b": undoable("b")}, "undo": {"call": "worker.undo", "with": {"name": "${output.a.name}"}}}, f=work("bad", after=["g"])),
        None, ["g.a", "g.b", "f"], ["g.undo"], error="bad"),
    "keep": Row(flow(a=undoable("a"), b=work("bad", **AFTER_A), also={"on_failure": "keep"}), None, ["a", "b"], error="bad"),
    "catch-value": Row(flow("${a}", a=work("bad", catch={"value": "${error.code}"})), "bad", ["a"]),
    "catch-list": Row(
        flow("${a.name}", a=work("bad", catch=[{"when": "error.kind == 'timeout'", "value": {"name": "late"}}, work("rescue")])), "rescue", ["a", "a.catch"]),
    "finally": Row(
        flow("${a.name}", a=work("x", **{"finally": {"f": work("f")}}), also={"finally": {"end": work("${run.state}")}}), "x", ["a", "a.finally.f", "finally.end"]),
    "finally-after-undo": Row(flow(a=undoable("a"), b=work("bad", **AFTER_A), also={"finally": {"end": work("${default(error.code, 'none')}")}}),
                              None, ["a", "b", "finally.end"], ["a.undo"], error="bad"),
}

# What rows call by name.
OTHERS = {
    "one-at-a-time": {"input": {"name": "string"}, "concurrency": {"limit": 1}, "steps": {"a": work("${input.name}")}, "output": "${a.name}"},
    "child": {"input": {"name": "string"}, "steps": {"a": undoable("${input.name}")}, "output": "${a.name + a.name}"},
}


def workflows():
    """All workflows of the table's project."""
    return {name: {"input": {}, **row.workflow} for name, row in ROWS.items()} | OTHERS


def problems(row, run, effects):
    """What is not as the row says, of a run that has ended: one line each."""
    mine = [line for line in lines_of(effects) if line["run"] == run["id"]]
    keys = {}
    for line in mine:
        keys.setdefault((line["step"], line["key"]), line)
    calls = Counter(step for step, _ in keys if not step.endswith(".undo") and step not in row.perhaps)
    undone = [step for step, _ in keys if step.endswith(".undo")]
    found = {"state": run["state"], "output": run["output"], "error": (run["error"] or {}).get("code") or "", "calls": calls, "undone": undone}
    wanted = {"state": row.expected_state, "output": row.output, "error": row.error, "calls": Counter(row.calls), "undone": row.undone}
    if row.output is None:
        del found["output"], wanted["output"]
    twice = [step for step in row.once if sum(line["step"] == step for line in mine) > 1]
    found["seen twice"], wanted["seen twice"] = twice, []
    return [f"{what}: {found[what]!r}, and not {wanted[what]!r}" for what in wanted if found[what] != wanted[what]]
