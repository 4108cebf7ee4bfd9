#!/usr/bin/env python3
"""Does what docs/tutorial.md says, against the release binary, and compares what it shows.

- A ```console block: each `$ ` line is run by bash, in one folder; the lines below it are the output, where
  `…` stands for anything, also for any number of lines, and a last `[exit code N]` for an end other than 0.
- A block under `<!-- file: PATH -->` is written to that file.
- `$ consort dev` starts the server, which goes on to the end of the page.

Ends with `N passed, M failed`; a test is one command.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
from devserver import DevServer, ServerError, find_binary  # noqa: E402

PAGE = ROOT / "docs" / "tutorial.md"
COMMAND_DEADLINE_S = 120
BLOCK = re.compile(r"(?:<!-- file: (?P<file>\S+) -->\n)?```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass
class Command:
    """One `$ ` line and what shall come of it."""

    text: str
    line: int
    output: list = field(default_factory=list)
    exit_code: int = 0


def commands(body, line):
    """The commands of a console block whose first line has the number `line`."""
    found = []
    for number, text in enumerate(body.splitlines(), line):
        ending = re.fullmatch(r"\[exit code (\d+)\]", text)
        if text.startswith("$ "):
            found.append(Command(text[2:], number))
        elif ending:
            found[-1].exit_code = int(ending.group(1))
        else:
            found[-1].output.append(text)
    return found


class Reader:
    """Somebody who follows the page with a terminal."""

    def __init__(self, folder, binary):
        self.folder = Path(folder)
        self.binary = binary
        tools = self.folder / ".bin"
        tools.mkdir()
        (tools / "consort").symlink_to(binary)
        self.environment = {**os.environ, "NO_COLOR": "1", "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
        self.server = None
        self.passed = self.failed = 0

    def follow(self, page):
        for block in BLOCK.finditer(page):
            if block["file"]:
                path = self.folder / block["file"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block["body"])
            elif block["kind"] == "console":
                for command in commands(block["body"], page.count("\n", 0, block.start("body")) + 1):
                    self.do(command)

    def do(self, command):
        trouble = self.start_server() if command.text == "consort dev" else self.run(command)
        self.passed += not trouble
        self.failed += bool(trouble)
        print(f"{'FAILED' if trouble else 'ok':<6}  line {command.line}: $ {command.text}", flush=True)
        if trouble:
            print("\n".join(f"        {line}" for line in trouble.splitlines()), flush=True)

    def start_server(self):
        try:
            self.server = DevServer(self.folder, self.binary)
            self.environment["CONSORT_SERVER"] = self.server.url
            self.server.__enter__()
            self.server.wait_until_deployed("hello")
        except ServerError as error:
            return str(error)
        return ""

    def run(self, command):
        """What differs, or nothing."""
        here = Path(self.folder / ".cwd")
        script = f"{command.text}\ncode=$?; pwd > {shlex.quote(str(here))}; exit $code"
        try:
            done = subprocess.run(
                ["bash", "-c", script], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, check=False,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=COMMAND_DEADLINE_S,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            return f"not done after {COMMAND_DEADLINE_S} s: {(error.output or b'').decode(errors='replace')}"
        self.folder = Path(here.read_text().strip())  # a `cd` lasts
        here.unlink()
        if done.returncode != command.exit_code:
            return f"exit code {done.returncode}, the page says {command.exit_code}\n{done.stdout}"
        if not shows(command.output, done.stdout):
            return "the page says:\n{}\nbut it is:\n{}".format("\n".join(command.output), done.stdout)
        return ""

    def close(self):
        if self.server:
            self.server.stop()


def shows(expected, output):
    """Whether the output is what the page shows. A page that shows nothing says nothing about it."""
    if not expected:
        return True
    text = "\n".join(line.rstrip() for line in expected)
    pattern = "".join(".*" if part == "…" else re.escape(part) for part in re.split("(…)", text))
    # A line of `…` may also stand for no line at all.
    pattern = pattern.replace(".*" + re.escape("\n"), "(?:.*\n)?").replace(re.escape("\n") + ".*", "(?:\n.*)?")
    actual = "\n".join(line.rstrip() for line in output.strip("\n").splitlines())
    return re.fullmatch(pattern, actual, re.DOTALL) is not None


def main():
    binary = find_binary()
    with tempfile.TemporaryDirectory(prefix="consort-tutorial-") as folder:
        reader = Reader(folder, binary)
        try:
            reader.follow(PAGE.read_text())
        finally:
            reader.close()
        print(f"\n{reader.passed} passed, {reader.failed} failed")
        return 1 if reader.failed or not reader.passed else 0


if __name__ == "__main__":
    sys.exit(main())
