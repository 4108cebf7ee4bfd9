"""Accounts, and a journal of what happened to them, in one SQLite file. Standard library only.

  POST /open    {owner} -> {id}        a repeated Idempotency-Key gets the account it got before
  POST /close   {id} -> {}             closing a closed account changes nothing
  POST /journal {owner} -> {entries: [{action, account, at}]}   oldest first

Settings: PORT, and LEDGER_FILE (made if it is not there).
"""

import json
import os
import re
import secrets
import signal
import sqlite3
import sys
import threading
from contextlib import closing
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MAX_REQUEST_BYTES = 64 * 1024
MAX_JOURNAL_ENTRIES = 1000  # one answer; the newest of them
LOCK_TIMEOUT_S = 10
SOCKET_TIMEOUT_S = 30  # a caller that stops in the middle of its request must not hold a thread for good

SCHEMA = """
CREATE TABLE IF NOT EXISTS account (
  id TEXT PRIMARY KEY, owner TEXT NOT NULL, opened_by TEXT UNIQUE, closed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS journal (
  number INTEGER PRIMARY KEY, action TEXT NOT NULL, account TEXT NOT NULL REFERENCES account, at TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS account_by_owner ON account (owner);
CREATE INDEX IF NOT EXISTS journal_by_account ON journal (account);
"""


class Refusal(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code = status, code


class Ledger:
    def __init__(self, file):
        self.file = file
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        with closing(self.connect()) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(SCHEMA)

    def connect(self):
        # Transactions are begun by hand, so that a look and the write that follows are one.
        return sqlite3.connect(self.file, timeout=LOCK_TIMEOUT_S, isolation_level=None)

    def open(self, request, key):
        owner = text(request, "owner")
        with closing(self.connect()) as db, db:
            db.execute("BEGIN IMMEDIATE")
            known = db.execute("SELECT id, owner FROM account WHERE opened_by = ?", [key]).fetchone()
            if known and known[1] != owner:
                raise Refusal(409, "key_reused", f"this Idempotency-Key opened an account of {known[1]}, not of {owner}")
            if known:
                return {"id": known[0]}
            account = f"acc_{secrets.token_hex(6)}"
            db.execute("INSERT INTO account (id, owner, opened_by) VALUES (?, ?, ?)", [account, owner, key])
            note(db, "open", account)
            return {"id": account}

    def close(self, request, _key):
        account = text(request, "id")
        with closing(self.connect()) as db, db:
            db.execute("BEGIN IMMEDIATE")
            changed = db.execute("UPDATE account SET closed = 1 WHERE id = ? AND NOT closed", [account]).rowcount
            if changed:
                note(db, "close", account)
            elif not db.execute("SELECT 1 FROM account WHERE id = ?", [account]).fetchone():
                raise Refusal(404, "unknown_account", f"there is no account {account}")
            return {}

    def journal(self, request, _key):
        with closing(self.connect()) as db:
            newest_first = db.execute(
                "SELECT action, account, at FROM journal WHERE account IN (SELECT id FROM account WHERE owner = ?) "
                "ORDER BY number DESC LIMIT ?",
                [text(request, "owner"), MAX_JOURNAL_ENTRIES],
            ).fetchall()
        return {"entries": [dict(zip(("action", "account", "at"), row)) for row in reversed(newest_first)]}


def note(db, action, account):
    at = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    db.execute("INSERT INTO journal (action, account, at) VALUES (?, ?, ?)", [action, account, at])


def text(request, field):
    value = request.get(field)
    # Half of a surrogate pair can stand in JSON, but in no file.
    if not isinstance(value, str) or not value or re.search("[\ud800-\udfff]", value):
        raise Refusal(400, "bad_request", f"{field}: a text that is not empty is needed")
    return value


class Handler(BaseHTTPRequestHandler):
    timeout = SOCKET_TIMEOUT_S

    def do_GET(self):
        known = self.path == "/healthz"
        self.reply(200 if known else 404, {"ok": True} if known else {"error": "not_found", "message": self.path})

    def do_POST(self):
        ledger = self.server.ledger
        operation = {"/open": ledger.open, "/close": ledger.close, "/journal": ledger.journal}.get(self.path)
        try:
            if operation is None:
                raise Refusal(404, "unknown_operation", f"{self.path}: there are /open, /close and /journal")
            self.reply(200, operation(self.body(), self.headers.get("Idempotency-Key")))
        except Refusal as error:
            self.reply(error.status, {"error": error.code, "message": str(error)})
        except sqlite3.OperationalError as error:  # locked, disk full: another try may find it better
            self.log_error("%s", error)
            self.reply(503, {"error": "ledger_unavailable", "message": str(error)})

    def body(self):
        size = int(self.headers.get("Content-Length", 0))
        if size > MAX_REQUEST_BYTES:
            raise Refusal(413, "too_large", "the request is too large")
        try:
            return dict(json.loads(self.rfile.read(size)))
        except (ValueError, TypeError) as error:
            raise Refusal(400, "bad_request", f"the request is not a JSON object: {error}") from error

    def reply(self, status, value):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Server(ThreadingHTTPServer):
    daemon_threads = False  # closing waits for the calls in flight
    request_queue_size = 128

    def __init__(self, port, ledger):
        super().__init__(("127.0.0.1", port), Handler)
        self.ledger = ledger


def main():
    port, file = os.environ.get("PORT"), os.environ.get("LEDGER_FILE")
    if not port or not file:
        sys.exit("ledger: set PORT and LEDGER_FILE")
    with Server(int(port), Ledger(file)) as server:
        # shutdown() waits for serve_forever(), which runs in this very thread
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
        server.serve_forever()


if __name__ == "__main__":
    main()
