"""Reads one page of a pay stub.

  POST /parse {page: file} -> {employer, monthly_income, confidence}

A file is {artifact, name, type, size, url}; its bytes are fetched from `url`. The port is PORT.
With FAIL_FIRST_CALL=1 the first call after the start is refused with 503, to see what the caller
does about it.
"""

import json
import os
import signal
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from paystub import read_page
from rows import Unreadable, rows_of

MAX_REQUEST_BYTES = 64 * 1024  # a request holds one file value, never the bytes
MAX_PAGE_BYTES = 32 * 1024 * 1024  # a scanned page is a few MiB; it is read into memory
FETCH_TIMEOUT_S = 10
SOCKET_TIMEOUT_S = 30  # a caller that stops in the middle of its request must not hold a thread for good

# Files lie on this machine; a proxy of the environment must not be asked for them.
fetcher = urllib.request.build_opener(urllib.request.ProxyHandler({}))
fail_next = threading.Semaphore(1 if os.environ.get("FAIL_FIRST_CALL") == "1" else 0)


class Refusal(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code = status, code


def parse(request):
    page = request.get("page")
    if not isinstance(page, dict) or not str(page.get("url", "")).startswith(("http://", "https://")):
        raise Refusal(400, "bad_request", "page: a file with an http url is needed")
    if fail_next.acquire(blocking=False):
        raise Refusal(503, "warming_up", "the first call is refused on purpose (FAIL_FIRST_CALL=1)")
    name = page.get("name") or "page"
    try:
        return read_page(rows_of(fetch(page["url"], name))).as_json()
    except Unreadable as error:
        raise Refusal(422, "unreadable_page", f"{name} cannot be read: {error}") from error


def fetch(url, name):
    try:
        with fetcher.open(url, timeout=FETCH_TIMEOUT_S) as response:
            data = response.read(MAX_PAGE_BYTES + 1)
    except urllib.error.HTTPError as error:
        status, code = (422, "page_missing") if error.code in (404, 410) else (502, "storage_failed")
        raise Refusal(status, code, f"{name}: {url} answered {error.code}") from error
    except OSError as error:
        raise Refusal(502, "storage_unreachable", f"{name}: {url}: {error}") from error
    if len(data) > MAX_PAGE_BYTES:
        raise Refusal(422, "page_too_large", f"{name}: more than {MAX_PAGE_BYTES} bytes")
    return data


class Handler(BaseHTTPRequestHandler):
    timeout = SOCKET_TIMEOUT_S

    def do_GET(self):
        if self.path == "/healthz":
            return self.reply(200, {"ok": True})
        self.reply(404, {"error": "unknown_operation", "message": f"GET {self.path}: there is POST /parse"})

    def do_POST(self):
        try:
            if self.path != "/parse":
                raise Refusal(404, "unknown_operation", f"POST {self.path}: there is POST /parse")
            self.reply(200, parse(self.body()))
        except Refusal as error:
            self.reply(error.status, {"error": error.code, "message": str(error)})
        except Exception as error:
            self.log_error("%r", error)
            self.reply(500, {"error": "internal", "message": repr(error)})

    def body(self):
        size = int(self.headers.get("Content-Length", 0))
        if size > MAX_REQUEST_BYTES:
            raise Refusal(413, "too_large", "the request is too large")
        try:
            value = json.loads(self.rfile.read(size))
        except ValueError as error:
            raise Refusal(400, "bad_request", f"the request is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise Refusal(400, "bad_request", "the request is not a JSON object")
        return value

    def reply(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = False  # closing waits for the calls in flight
    request_queue_size = 128


def main():
    if not os.environ.get("PORT"):
        sys.exit("parser: set PORT")
    with Server(("127.0.0.1", int(os.environ["PORT"])), Handler) as server:
        # shutdown() waits for serve_forever(), which runs in this very thread
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
        server.serve_forever()


if __name__ == "__main__":
    main()
