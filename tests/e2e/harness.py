"""A real server, a project in a temporary folder, and waiting for conditions: what every end-to-end test needs.

Everything a test starts is ended by its process id when the test is over, whatever became of it.
"""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import textwrap
import time
import unittest
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlencode

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

READY_DEADLINE_S = 30
DEADLINE_S = 60  # for anything else; a shared machine may be slow
ASK_EVERY_S = 0.05

ENDED = {"succeeded", "failed", "cancelled", "timed_out"}


def binary():
    target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
    found = Path(os.environ.get("CONSORT_BIN") or target / "release" / "consort").resolve()
    if not found.is_file():
        raise SystemExit(f"there is no {found}: run `make build` first, or name one by CONSORT_BIN")
    return str(found)


def until(condition, what, deadline_s=DEADLINE_S):
    """What `condition` gives once it is true; asks until the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"after {deadline_s} s still not: {what() if callable(what) else what}")
        time.sleep(ASK_EVERY_S)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def alive(pid):
    """Whether a process runs; one that has ended and only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def lines_of(path):
    """The entries of a file that `answering.note` wrote."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()] if Path(path).exists() else []


class Answer:
    """What the server said: its status, headers and body."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


class Server:
    """`consort server` (or `dev PROJECT`) on a free port, with a data folder that survives its restarts."""

    def __init__(self, folder, *mode, environment=None):
        self.folder, self.mode = Path(folder), list(map(str, mode)) or ["server"]
        self.environment = {**os.environ, "NO_COLOR": "1", **(environment or {})}
        self.environment.pop("CONSORT_SERVER", None)
        self.data, self.log = self.folder / "data", self.folder / "server.log"
        self.process = None

    def start(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [binary(), *self.mode, "--data", str(self.data), "--listen", f"127.0.0.1:{self.port}"]
        begun = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.environment, cwd=self.folder, start_new_session=True,
            )  # fmt: skip
        until(self.is_ready, lambda: f"ready\n{self.words()}", READY_DEADLINE_S)
        self.ready_after_s = time.monotonic() - begun
        return self

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with code {self.process.returncode}\n{self.words()}")
        try:
            return self.ask("GET", "/readyz").status == 200
        except OSError:
            return False

    def words(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-40:])

    def kill(self):
        """As a power cut would: nothing is said, nothing is flushed."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(DEADLINE_S)

    def stop(self, by=signal.SIGTERM):
        """Asks it to end, and gives its exit code."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(by)
            try:
                self.process.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"the server did not end\n{self.words()}") from None
        return self.process and self.process.returncode

    def ask(self, method, path, body=None, headers=None, timeout_s=DEADLINE_S + 10):
        """One request, with the path as it is; a body that is no bytes is sent as JSON."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # it answers before it has read a body that is too large
                connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def api(self, method, path, body=None, headers=None, **query):
        return self.ask(method, f"/api/v1{path}" + (f"?{urlencode(query)}" if query else ""), body, headers)

    def get(self, path, **query):
        answer = self.api("GET", path, **query)
        if answer.status != 200:
            raise AssertionError(f"GET {path}: {answer.status} {answer.body.decode()}")
        return answer.json

    def cli(self, *arguments, **options):
        """A finished `consort ARGUMENTS` against this server."""
        return consort(*arguments, **{"environment": {"CONSORT_SERVER": self.url}, "folder": self.folder, **options})

    def begin(self, workflow, input=None, **body):
        """Starts a run and gives it as it is at once."""
        answer = self.api("POST", f"/workflows/{workflow}/runs", {"input": input or {}, **body})
        if answer.status not in (200, 201):
            raise AssertionError(f"start of {workflow}: {answer.status} {answer.body.decode()}")
        return answer.json

    def run(self, workflow, input=None, **body):
        """Starts a run and gives it once it has ended."""
        return self.ended(self.begin(workflow, input, **body)["id"])

    def ended(self, run):
        return self.reaches(run, ENDED)

    def reaches(self, run, states):
        states = {states} if isinstance(states, str) else set(states)
        seen = {}

        def reached():
            seen.update(self.get(f"/runs/{run}"))
            return seen["state"] in states

        until(reached, lambda: f"{run} is {' or '.join(sorted(states))}, it is {json.dumps(seen)}\n{self.words()}")
        return seen

    def steps(self, run):
        return {step["key"]: step for step in self.get(f"/runs/{run}/steps", limit=500)["items"]}

    def step(self, run, key):
        return self.steps(run)[key]

    def act(self, run, what, body=None):
        return self.api("POST", f"/runs/{run}/{quote(what, safe='/')}", {} if body is None else body)

    def service(self, name):
        return self.get(f"/services/{name}")

    def replica_pids(self, service=None):
        """The processes below the server, read from the system and not from what the server says of itself."""
        parents = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                pid, parent = int(stat.parent.name), int(stat.read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            parents.setdefault(parent, []).append(pid)
        found, ask = [], [self.process.pid]
        while ask:
            below = parents.get(ask.pop(), [])
            found += below
            ask += below
        return [pid for pid in found if alive(pid) and (service is None or belongs_to(pid, service))]


def belongs_to(pid, service):
    try:
        return f"CONSORT_SERVICE={service}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def consort(*arguments, folder=None, environment=None, stdin=subprocess.DEVNULL, timeout_s=DEADLINE_S + 30, **options):
    """A finished `consort ARGUMENTS`."""
    return subprocess.run(
        [binary(), *map(str, arguments)], text=True, capture_output=True, check=False, timeout=timeout_s, cwd=folder,
        env={**os.environ, "NO_COLOR": "1", **(environment or {})},
        **(options if "input" in options else {"stdin": stdin, **options}),
    )  # fmt: skip


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        self.folder = self.new_folder()

    @classmethod
    def new_folder(cls):
        folder = Path(tempfile.mkdtemp(prefix="consort-e2e-"))
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def server(self, *mode, **options):
        server = Server(self.new_folder(), *mode, **options)
        self.addCleanup(end, server)
        return server.start()

    def apply(self, server, project, expect=0):
        """Applies the project in a folder, and says what the command said when it did not go as expected."""
        applied = server.cli("apply", project)
        self.assertEqual(applied.returncode, expect, f"{applied.stdout}\n{applied.stderr}\n{server.words()}")
        return applied

    def assertProblem(self, answer, status, code=None):
        """A refusal is a problem of RFC 9457 with a stable code."""
        self.assertEqual(answer.status, status, answer.body.decode(errors="replace"))
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        self.assertEqual(answer.json["status"], status)
        self.assertRegex(answer.json["code"], r"^E[A-Z0-9_]+$")
        if code:
            self.assertEqual(answer.json["code"], code)
        return answer.json


class SharedServer(Case):
    """Tests that share one server and one project, which the class writes in `project(folder)`."""

    environment = {}

    @classmethod
    def setUpClass(cls):
        cls.home = cls.new_folder()
        cls.shared = Server(cls.new_folder(), environment=cls.environment)
        cls.addClassCleanup(end, cls.shared)
        cls.project(cls.home)
        cls.shared.start()
        applied = cls.shared.cli("apply", cls.home)
        if applied.returncode != 0:
            raise AssertionError(f"{applied.stdout}\n{applied.stderr}\n{cls.shared.words()}")

    @classmethod
    def project(cls, folder):
        raise NotImplementedError


def end(server):
    if server.process and server.process.poll() is None:
        try:
            server.stop()
        finally:
            if server.process.poll() is None:
                server.kill()


def write_project(folder, services=None, workflows=None, name="e2e", **rest):
    """`consort.yaml` from a mapping: JSON is YAML, and the top level stands on lines of its own."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    project = {"name": name, "services": services or {}, "workflows": workflows or {}, **rest}
    (folder / "consort.yaml").write_text("".join(f"{key}: {textwrap.indent(json.dumps(value, indent=1), ' ').lstrip()}\n" for key, value in project.items()))
    return folder


def write_service(folder, name, source, **definition):
    """A Python service on `answering`, and its definition: `source` defines the functions, and serves them."""
    place = Path(folder) / "services" / name
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "answering.py", place)
    (place / "service.py").write_text("from answering import *\n\n" + source)
    return {"source": f"./services/{name}", "command": "python3 -B service.py", "healthcheck": {"path": "/healthz", "interval": "200ms"}, **definition}


def write_script(folder, name, text, **definition):
    """An `exec:` service of one shell script, and its definition."""
    place = Path(folder) / "services" / name
    place.mkdir(parents=True, exist_ok=True)
    (place / "call.sh").write_text("#!/bin/sh\n" + text)
    (place / "call.sh").chmod(0o755)
    return {"source": f"./services/{name}", "exec": "./call.sh", **definition}
