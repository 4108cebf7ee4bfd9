"""What the torture runs: one service outside, one that Consort deploys, and workflows of every shape."""

import json
import textwrap

RETRY = {"attempts": 20, "delay": "20ms", "max_delay": "200ms"}
WORK = {"input": {"n?": "integer", "takes_ms?": "integer", "doomed?": "boolean", "id?": "string"}, "output": {"id": "string"}}

OWN = '''
import json, os, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.answer({})
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        self.answer({"n": body["n"] + 1})
    def answer(self, body):
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def log_message(self, *_):
        pass

ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
'''


def operation(**more):
    return {**WORK, "retry": RETRY, "timeout": "20s", **more}


WORKFLOWS = {
    # Effects in a row and side by side, undone in reverse when the last one is doomed.
    "loan": {
        "input": {"n": "integer", "doomed": "boolean"},
        "steps": {
            "account": {"call": "outside.open", "with": {"n": "${input.n}"}, "undo": {"call": "outside.close", "with": {"id": "${output.id}"}}},
            "items": {
                "for_each": "${[1, 2, 3]}", "max_parallel": 2, "call": "outside.open", "with": {"n": "${item}", "id": "${account.id}", "takes_ms": 5},
                "undo": {"call": "outside.close", "with": {"id": "${output.id}"}},
            },
            "check": {"call": "outside.flaky", "with": {"n": "${size(items)}"}},
            "end": {"after": ["check"], "call": "outside.work", "with": {"doomed": "${input.doomed}"}},
        },
        "output": "${account.id}",
    },
    # Timers, a loop, and a replica of ours that may be stopped under it.
    "turns": {
        "input": {"n": "integer"},
        "steps": {
            "agent": {
                "loop": {
                    "carry": {"n": "${input.n}"}, "max": 10, "delay": "30ms",
                    "steps": {"own": {"call": "own.add", "with": {"n": "${carry.n}"}}},
                    "until": "index >= 3", "next": {"n": "${own.n}"},
                }
            },
            "pause": {"after": ["agent"], "wait": "100ms"},
            "last": {"after": ["pause"], "call": "outside.work", "with": {"n": "${agent.own.n}", "takes_ms": 20}},
        },
        "output": "${agent.own.n}",
    },
    # A clean slate between two passes: what the first one opened is closed before the second opens anew.
    "clean": {
        "input": {"n": "integer"},
        "retry": {"attempts": 2, "delay": "50ms", "clean": True, "when": "error.code == 'doomed'"},
        "steps": {
            "account": {"call": "outside.open", "undo": {"call": "outside.close", "with": {"id": "${output.id}"}}},
            "end": {"after": ["account"], "call": "outside.work", "with": {"doomed": "${run.attempt == 1}"}},
        },
        "output": "${account.id}",
    },
}  # fmt: skip

ENDS = {"loan": lambda body: "failed" if body["doomed"] else "succeeded", "turns": lambda _: "succeeded", "clean": lambda _: "succeeded"}


def body_of(workflow, number):
    return {"n": number, "doomed": number % 4 == 0} if workflow == "loan" else {"n": number}


def write(folder, url):
    own = folder / "services" / "own"
    own.mkdir(parents=True)
    (own / "own.py").write_text(OWN)
    services = {
        "outside": {"url": url, "operations": {name: operation() for name in ("open", "close", "flaky", "work")}},
        "own": {
            "source": "./services/own", "command": "python3 -B own.py", "scale": {"min": 2, "max": 2, "concurrency": 4},
            "healthcheck": {"path": "/", "interval": "200ms", "retries": 10},
            "operations": {"add": {"input": {"n": "integer"}, "output": {"n": "integer"}, "retry": RETRY, "timeout": "5s"}},
        },
    }  # fmt: skip
    project = {"name": "torture", "services": services, "workflows": WORKFLOWS}
    (folder / "consort.yaml").write_text("".join(f"{key}: {textwrap.indent(json.dumps(value, indent=1), ' ').lstrip()}\n" for key, value in project.items()))
    return folder
