"""Greets. Knows nothing of Consort: JSON in, JSON out, one path for each operation."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def greet(name):
    return {"text": f"Hello, {name}!"}


def count(text):
    return {"letters": sum(letter.isalpha() for letter in text)}


OPERATIONS = {"/greet": greet, "/count": count}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(200 if self.path == "/healthz" else 404, {})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        operation = OPERATIONS.get(self.path)
        if operation is None:
            return self.answer(404, {"error": "not_found", "message": f"there is no {self.path}"})
        self.answer(200, operation(**json.loads(body)))

    def log_request(self, code="-", size="-"):
        if self.path != "/healthz":
            super().log_request(code, size)

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
