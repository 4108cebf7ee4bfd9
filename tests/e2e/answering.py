"""A small HTTP service for the tests: functions by operation, JSON in, JSON out. It knows nothing of Consort.

It is copied beside each service that a test writes. An operation is a function of the input; what it
returns is the output. It may raise `Refuse` to answer with another status.
"""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

caller = threading.local()  # .headers: those of the call that this thread answers


class Refuse(Exception):
    """An answer other than 200."""

    def __init__(self, status, error="refused", message="refused by the service", **headers):
        super().__init__(message)
        self.status, self.headers = status, {name.replace("_", "-"): value for name, value in headers.items()}
        self.body = json.dumps({"error": error, "message": message}).encode()


class Raw(bytes):
    """Bytes that are sent as they are, whatever they are."""


def note(path, entry):
    """Appends a line to a file, whole or not at all, in the order of the calls."""
    with open(path, "ab", buffering=0) as file:
        file.write(json.dumps(entry).encode() + b"\n")


def effect():
    """Who asks for a side effect: what a real service would keep to make it once."""
    return {
        "run": caller.headers["Consort-Run"],
        "step": caller.headers["Consort-Step"],
        "attempt": caller.headers["Consort-Attempt"],
        "key": caller.headers["Idempotency-Key"],
        "operation": caller.operation,
        "pid": os.getpid(),
    }


def serve(**operations):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.answer(200, b"{}")

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            caller.headers, caller.operation = self.headers, self.path.strip("/")
            try:
                output = operations[caller.operation](json.loads(body or b"{}"))
                self.answer(200, output if isinstance(output, Raw) else json.dumps(output).encode())
            except Refuse as refused:
                self.answer(refused.status, refused.body, refused.headers)

        def answer(self, status, body, headers=None):
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": len(body), **(headers or {})}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
    print("listening", file=sys.stderr, flush=True)
    server.serve_forever()
