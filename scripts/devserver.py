"""`consort dev` on a project, with fresh data and on a free port, for as long as a `with` block lasts.

What the demo, the tutorial's test and the browser test have in common. Standard library only.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_PORT = 7878
READY_DEADLINE_S = 30
DEPLOY_DEADLINE_S = 600  # `setup` of the services downloads packages
STOP_DEADLINE_S = 30
CALL_DEADLINE_S = 30
ASK_EVERY_S = 0.1
LOG_TAIL_LINES = 30

direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy


class ServerError(Exception):
    """The server did not do what was waited for; the text says what, and shows its last words."""


def find_binary():
    """The release binary: CONSORT_BIN, which make sets, else where cargo puts it."""
    target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
    binary = Path(os.environ.get("CONSORT_BIN") or target / "release" / "consort").resolve()
    if not binary.is_file():
        sys.exit(f"there is no {binary}: run `make build` first")
    return binary


def free_port(preferred=0):
    """`preferred` if nobody listens there, else a free one."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise ServerError("no port of 127.0.0.1 is free")


class DevServer:
    """Starts on entry and waits until it answers; ends, with all its services, on exit."""

    def __init__(self, project, binary=None, port=0):
        self.project = Path(project).resolve()
        self.binary = Path(binary or find_binary())
        self.port = free_port(port)
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = Path(tempfile.mkdtemp(prefix="consort-"))
        self.log = self.folder / "dev.log"
        self.process = None

    def __enter__(self):
        try:
            self.start()
            self.wait_for(lambda: self.get("/readyz", api=False) is not None, READY_DEADLINE_S, "be ready")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        command = [self.binary, *self.mode(), "--data", self.folder / "data", "--listen", f"127.0.0.1:{self.port}"]
        with open(self.log, "ab") as log:
            # A session of its own: Ctrl-C reaches us, and we end it in order.
            self.process = subprocess.Popen(
                list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def mode(self):
        """The command that is the server."""
        return ["dev", self.project]

    def stop(self):
        if self.process is not None:
            self.end_process()
        shutil.rmtree(self.folder, ignore_errors=True)

    def end_process(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_DEADLINE_S)
            except subprocess.TimeoutExpired:
                print(f"consort dev did not stop within {STOP_DEADLINE_S} s: killed", file=sys.stderr)
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def environment(self):
        """For commands that shall reach this server."""
        return {**os.environ, "CONSORT_SERVER": self.url, "NO_COLOR": "1"}

    def command(self, *args, **options):
        """A finished `consort ARGS` against this server."""
        command = [str(self.binary), *map(str, args)]
        settings = {"text": True, "capture_output": True, "env": self.environment(), "cwd": self.project}
        return subprocess.run(command, check=False, stdin=subprocess.DEVNULL, **{**settings, **options})

    def get(self, path, api=True):
        """The JSON at a path, or None while there is none."""
        try:
            with direct.open(self.url + ("/api/v1" if api else "") + path, timeout=CALL_DEADLINE_S) as answer:
                return json.load(answer)
        except (urllib.error.URLError, OSError, ValueError):
            return None

    def wait_for(self, condition, deadline_s, what):
        """Asks until `condition` holds."""
        deadline = time.monotonic() + deadline_s
        while not condition():
            if self.process.poll() is not None:
                raise ServerError(f"consort dev ended with code {self.process.returncode}\n{self.last_words()}")
            if time.monotonic() > deadline:
                raise ServerError(f"consort dev did not {what} within {deadline_s} s\n{self.last_words()}")
            time.sleep(ASK_EVERY_S)

    def wait_until_deployed(self, workflow, tell=lambda status: None):
        """Until the workflow is there and every service has the replicas it wants."""
        told = ""

        def deployed():
            nonlocal told
            if self.get(f"/workflows/{workflow}") is None:
                return False
            services = (self.get("/services") or {"items": []})["items"]
            status = " · ".join(map(service_status, services))
            if status != told:
                tell(status)
                told = status
            return bool(services) and all(map(is_up, services))

        self.wait_for(deployed, DEPLOY_DEADLINE_S, f"deploy {workflow}")

    def last_words(self):
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(f"  | {line}" for line in lines[-LOG_TAIL_LINES:])


def is_up(service):
    return service["state"] in ("ready", "idle")


def service_status(service):
    status = f"{service['name']} {service['state']}"
    return status if is_up(service) or not service.get("detail") else f"{status} ({service['detail']})"
