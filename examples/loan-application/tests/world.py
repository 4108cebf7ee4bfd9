"""What the services need around them in a test: a copy of their folders that is set up, a store
of files, and free ports. Nothing here outlives `World.close()`."""

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parent.parent
START_DEADLINE_S = 30
CALL_DEADLINE_S = 30
STOP_DEADLINE_S = 10
SETUP_DEADLINE_S = 300

direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy


class World:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="loan-application-"))
        self.running = []
        services = self.folder / "services"
        unwanted = shutil.ignore_patterns("node_modules", ".venv", "__pycache__")
        shutil.copytree(EXAMPLE / "services", services, ignore=unwanted)
        try:
            setup(services / "documents", "npm ci --no-audit --no-fund")
            setup(services / "parser", "python3 -m venv .venv && .venv/bin/pip install -q -r requirements.txt")
        except BaseException:
            shutil.rmtree(self.folder)
            raise
        self.files = FileStore()

    def documents(self):
        return self.start("documents", ["node", "server.js"], ARTIFACTS_URL=self.files.url)

    def parser(self, **settings):
        return self.start("parser", [".venv/bin/python", "app.py"], **settings)

    def ledger(self, file=None):
        file = file or Path(tempfile.mkdtemp(dir=self.folder)) / "ledger.db"
        return self.start("ledger", ["python3", "ledger.py"], LEDGER_FILE=str(file))

    def notifier(self, outbox=None, greylisted="greylist.example"):
        outbox = outbox or Path(tempfile.mkdtemp(dir=self.folder))
        service = self.start("notifier", ["node", "server.js"], OUTBOX=str(outbox), GREYLISTED_DOMAINS=greylisted)
        service.outbox = outbox
        return service

    def start(self, name, command, **settings):
        service = Service(self.folder / "services" / name, command, settings)
        self.running.append(service)
        service.wait_until_healthy()
        return service

    def check_income(self, request):
        """The exit code and the answer of the script."""
        done = subprocess.run(
            ["./check.py"], cwd=self.folder / "services" / "income", timeout=CALL_DEADLINE_S, text=True,
            input=request if isinstance(request, str) else json.dumps(request), capture_output=True,
        )  # fmt: skip
        return done.returncode, json.loads(done.stdout) if done.returncode == 0 else done.stderr

    def close(self):
        for service in self.running:
            service.stop()
        self.files.close()
        shutil.rmtree(self.folder)


def setup(folder, command):
    done = subprocess.run(command, shell=True, cwd=folder, timeout=SETUP_DEADLINE_S, capture_output=True, text=True)
    if done.returncode:
        needs = "Node 18 or newer with npm, and Python 3 with venv (on Debian: nodejs npm python3-venv)"
        raise RuntimeError(f"{command}\n{done.stdout}{done.stderr}\nThe services need {needs}.")


class Service:
    def __init__(self, folder, command, settings):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            command, cwd=folder, stdout=self.log, stderr=self.log,
            env={"PATH": os.environ["PATH"], "PORT": str(self.port), **settings},
        )  # fmt: skip

    def wait_until_healthy(self):
        deadline = time.monotonic() + START_DEADLINE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with direct.open(f"http://127.0.0.1:{self.port}/healthz", timeout=1):
                    return
            except OSError:
                time.sleep(0.02)  # between two looks at a condition that has a deadline
        self.log.seek(0)
        raise RuntimeError(f"{self.process.args} is not healthy:\n{self.log.read().decode()}")

    def call(self, operation, value, key=None):
        """The status and the JSON of the answer; `value` may be bytes that are sent as they are."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/{operation}", body, headers)
        try:
            with direct.open(request, timeout=CALL_DEADLINE_S) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def stop(self, how=signal.SIGTERM):
        """The exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.log.close()


class FileStore(ThreadingHTTPServer):
    """Files by content, with the two routes that the services use: POST gives a file, GET its bytes."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), StoreHandler)
        self.contents = {}
        self.asked = threading.Semaphore(0)  # counts the GETs
        self.open_gate = threading.Event()  # while it is not set, they get no answer
        self.open_gate.set()
        self.url = f"http://127.0.0.1:{self.server_port}/api/v1/artifacts"
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()

    def put(self, data, name, kind="application/pdf"):
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.contents[digest] = data
        return {"artifact": digest, "name": name, "type": kind, "size": len(data), "url": f"{self.url}/{digest}"}

    @contextmanager
    def slow(self):
        """Holds back the answers to GETs until the end of the block."""
        while self.asked.acquire(blocking=False):
            pass
        self.open_gate.clear()
        try:
            yield
        finally:
            self.open_gate.set()

    def close(self):
        self.shutdown()
        self.thread.join()
        self.server_close()


class StoreHandler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.release()
        self.server.open_gate.wait(CALL_DEADLINE_S)
        data = self.server.contents.get(self.path.rsplit("/", 1)[-1])
        self.reply(200 if data is not None else 404, data or b"")

    def do_POST(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        self.reply(201, json.dumps(self.server.put(data, query["name"][0], self.headers["Content-Type"])).encode())

    def reply(self, status, data):
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass
