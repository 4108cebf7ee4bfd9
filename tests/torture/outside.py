"""A service outside of Consort, in the process of the test: it survives every kill, and remembers each call.

Its ledger is what a sceptic believes: who asked for which effect, under which key, in which order.
"""

import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Outside:
    def __init__(self):
        self.lock = threading.Lock()
        self.calls = []  # in the order in which they came
        self.answers = {}  # by Idempotency-Key: a repeated call gets its first answer
        self.tries = Counter()
        self.running, self.most_running = Counter(), Counter()
        outside = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.send(200, {})

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
                self.send(*outside.answer(self.path.strip("/"), self.headers, body))

            def send(self, status, body):
                text = json.dumps(body).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text)
                except OSError:
                    self.close_connection = True  # the server was killed meanwhile: nobody listens

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 512

            def handle_error(self, *_):
                pass  # a connection that a kill has cut

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, operation, headers, body):
        key = headers["Idempotency-Key"]
        with self.lock:
            self.tries[key] += 1
            number = self.tries[key]
            self.calls.append(
                {
                    "operation": operation, "run": headers["Consort-Run"], "step": headers["Consort-Step"], "key": key,
                    "token": headers["Consort-Token"], "undoes": headers.get("Consort-Undoes"), "input": body,
                }
            )  # fmt: skip
            self.running[operation] += 1
            self.most_running[operation] = max(self.most_running[operation], self.running[operation])
        try:
            time.sleep(body.get("takes_ms", 0) / 1000)
            if operation == "flaky" and number == 1:
                return 503, {"error": "flaky", "message": "the first try always fails"}
            if body.get("doomed"):
                return 422, {"error": "doomed", "message": "this one is doomed"}
            with self.lock:
                first = self.answers.setdefault(key, {"id": f"{operation}-{len(self.answers)}"})
            return 200, first
        finally:
            with self.lock:
                self.running[operation] -= 1
