#!/usr/bin/env python3
"""Does what the pages of docs/ say, against the release binary, and compares what they show.

    tests/docs/run_pages.py [PAGE…]      all pages, or those whose path holds one of the words

- A block with `title=PATH` behind its language is written to that file, in a folder of the page's own.
- A ```console block: each `$ ` line is run by bash, in one session a page; the lines below it are the
  output, where `…` stands for anything, also for any number of lines, and a last `[exit code N]` for an
  end other than 0. A line that ends in a backslash goes on in the next.
- A ```cel block: each line is `EXPRESSION  // RESULT`, the result as JSON.
- `$ consort dev` starts a server of the page's own, which goes on to its end. All other pages share one,
  each in the namespace that its project names.

Ends with `N passed, M failed`; a test is one command, or one expression.
"""

import json
import os
import re
import selectors
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import commands as command_page  # noqa: E402
from devserver import DevServer, ServerError, find_binary  # noqa: E402

DOCS = ROOT / "docs"
NOT_YET = "> **Not yet.**"  # a page that begins so shows what this version refuses
COMMAND_DEADLINE_S = 120
AT_ONCE = 3  # they wait more than they work
BLOCK = re.compile(r"^```(?P<kind>\w+)(?: title=(?P<file>\S+))?[^\n]*\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)


class Shared(DevServer):
    """One `consort server` for all pages that start none."""

    def mode(self):
        return ["server"]


class Stuck(Exception):
    """A command did not end: nothing after it on the page can be done."""


@dataclass
class Command:
    """One `$ ` line and what shall come of it."""

    text: str
    line: int
    output: list = field(default_factory=list)
    exit_code: int = 0


def commands_of(body, line):
    """The commands of a console block whose first line has the number `line`."""
    found, goes_on = [], False
    for number, text in enumerate(body.splitlines(), line):
        ending = re.fullmatch(r"\[exit code (\d+)\]", text)
        if goes_on:
            found[-1].text += "\n" + text
        elif text.startswith("$ "):
            found.append(Command(text[2:], number))
        elif ending:
            found[-1].exit_code = int(ending.group(1))
        else:
            found[-1].output.append(text)
        goes_on = (goes_on or text.startswith("$ ")) and text.endswith("\\")
    return found


class Shell:
    """A bash session: folder and variables last from one command to the next."""

    END = "consort-page-command-ended"

    def __init__(self, folder, environment):
        self.process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"], cwd=folder, env=environment, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, command):
        """What a command wrote, and its exit code."""
        script = f"{{ {command}\n}} </dev/null\nENDED=$?; echo; echo {self.END} $ENDED\n"
        self.process.stdin.write(script.encode())
        self.process.stdin.flush()
        written, deadline = b"", time.monotonic() + COMMAND_DEADLINE_S
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not (ended := re.search(rb"\n%s (\d+)\n\Z" % self.END.encode(), written)):
                if not selector.select(max(deadline - time.monotonic(), 0)):
                    raise Stuck(f"not done after {COMMAND_DEADLINE_S} s: {written.decode(errors='replace')}")
                piece = os.read(self.process.stdout.fileno(), 65536)
                if not piece:
                    raise Stuck(f"the shell ended: {written.decode(errors='replace')}")
                written += piece
        return written[: ended.start()].decode(errors="replace"), int(ended[1])

    def close(self):
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, 9)
        self.process.wait()


class Reader:
    """Somebody who follows a page with a terminal."""

    def __init__(self, page, folder, binary, shared):
        self.page, self.folder, self.binary = page, Path(folder), binary
        tools = self.folder / ".bin"
        tools.mkdir()
        (tools / "consort").symlink_to(binary)
        environment = {**os.environ, "NO_COLOR": "1", "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "CONSORT_SERVER": shared.url}
        self.shell = Shell(self.folder, environment)
        self.server = None
        self.passed, self.failed, self.said = 0, 0, []

    def follow(self):
        text = self.page.read_text()
        if NOT_YET not in text:
            with suppress(Stuck):
                self.follow_blocks(text)

    def follow_blocks(self, text):
        for block in BLOCK.finditer(text):
            line = text.count("\n", 0, block.start("body")) + 1
            if block["file"]:
                path = self.here() / block["file"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block["body"])
            elif block["kind"] == "console":
                for command in commands_of(block["body"], line):
                    try:
                        trouble = self.do(command)
                    except Stuck as stuck:
                        self.count(command.line, f"$ {command.text}", str(stuck))
                        raise
                    self.count(command.line, f"$ {command.text}", trouble)
            elif block["kind"] == "cel":
                self.evaluate(block["body"], line)

    def here(self):
        """The folder that the session is in: a `cd` lasts."""
        return Path(os.readlink(f"/proc/{self.shell.process.pid}/cwd"))

    def count(self, line, what, trouble):
        self.passed += not trouble
        self.failed += bool(trouble)
        self.said.append(f"{'FAILED' if trouble else 'ok':<6}  {self.page.relative_to(ROOT)}:{line}: {what}")
        self.said += [f"        {text}" for text in trouble.splitlines()]

    def do(self, command):
        """What differs, or nothing."""
        try:
            if command.text == "consort dev":
                self.start_server()
                return ""
            output, code = self.shell.run(command.text)
        except ServerError as error:
            return str(error)
        if code != command.exit_code:
            return f"exit code {code}, the page says {command.exit_code}\n{output}"
        if not shows(command.output, output):
            return "the page says:\n{}\nbut it is:\n{}".format("\n".join(command.output), output)
        return ""

    def start_server(self):
        self.server = DevServer(self.here(), self.binary)
        self.server.__enter__()
        self.server.wait_until_deployed("hello")
        self.shell.run(f"export CONSORT_SERVER={self.server.url}")

    def evaluate(self, body, line):
        """One workflow with a step for each expression; compares their outputs."""
        rows = [(number, *text.rsplit("// ", 1)) for number, text in enumerate(body.splitlines(), line) if "// " in text]
        steps = {f"line_{number}": {"value": "${" + expression.strip() + "}"} for number, expression, _ in rows}
        name = f"cel-{self.page.stem}-{line}"
        folder = self.folder / name
        folder.mkdir()
        workflow = {"steps": steps, "output": {step: "${" + step + "}" for step in steps}}
        (folder / "consort.yaml").write_text(f"name: {name}\nworkflows: {json.dumps({'all': workflow})}\n")
        try:
            output, _ = self.shell.run(f"(cd {folder} && consort apply >/dev/null 2>&1; consort run all --json || consort check) 2>&1 | tail -20")
            outputs = json.loads(output.strip().splitlines()[-1])["output"] or {}
        except (ValueError, IndexError, KeyError, TypeError):
            return self.count(line, "the expressions of this block", output or "nothing was said")
        for number, expression, result in rows:
            actual = outputs.get(f"line_{number}", "nothing")
            wrong = json.dumps(actual, sort_keys=True) != json.dumps(json.loads(result), sort_keys=True)
            self.count(number, expression.strip(), f"the page says {result}, but it is {json.dumps(actual)}" if wrong else "")

    def close(self):
        self.shell.close()
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


def follow(page, binary, shared):
    """How many tests of a page passed and failed."""
    with tempfile.TemporaryDirectory(prefix="consort-page-") as folder:
        reader = Reader(page, folder, binary, shared)
        try:
            reader.follow()
        finally:
            reader.close()
        if reader.said:
            print("\n".join(reader.said), flush=True)
        return reader.passed, reader.failed


def missing(binary):
    """What the reference lacks, by the test that finds it."""
    reference = {page: page.read_text() for page in sorted((DOCS / "reference").glob("*.md"))}
    everything = "\n".join(reference.values())
    code = re.compile(r"\b[EW]_[A-Z_]+[A-Z]\b")
    explained = set(re.findall(r"^### (\S+)", (DOCS / "errors.md").read_text(), re.MULTILINE))
    schema = json.loads(subprocess.run([binary, "schema"], capture_output=True, text=True, check=True).stdout)
    table = (ROOT / "crates/expr/src/functions/table.rs").read_text()
    functions = re.findall(r'row\("(\w+)"', table) + re.findall(r'^    "(\w+)",$', table, re.MULTILINE)
    examples = "\n".join(block["body"] for block in BLOCK.finditer(everything) if block["kind"] == "cel")
    return {
        "every code that a page names is explained": sorted(set(code.findall(everything)) - explained),
        "every key of the file stands in the reference": sorted(key for key in keys_of(schema) if not re.search(rf"\b{key}\b", everything)),
        "every function has an example": sorted(name for name in functions if not re.search(rf"\b{name}\(", examples)),
        "the command line is as --help says": ["run tests/docs/commands.py"] if command_page.differs(binary) else [],
        "every page of the reference is in its index": [page.name for page in reference if page.name != "README.md" and f"]({page.name})" not in reference[DOCS / "reference" / "README.md"]],
    }


def keys_of(schema):
    """Every key that the JSON Schema of the file names."""
    if isinstance(schema, list):
        return set().union(*map(keys_of, schema))
    if not isinstance(schema, dict):
        return set()
    own = set(schema["properties"]) if isinstance(schema.get("properties"), dict) else set()
    return own.union(*map(keys_of, schema.values()))


def complete(binary):
    """How many tests of the reference as a whole passed and failed."""
    found = missing(binary)
    for test, lacks in found.items():
        print(f"{'FAILED' if lacks else 'ok':<6}  docs/reference: {test}" + "".join(f"\n        {what}" for what in lacks), flush=True)
    failed = sum(map(bool, found.values()))
    return len(found) - failed, failed


def main():
    binary = find_binary()
    words = sys.argv[1:] or [""]
    pages = [page for page in sorted(DOCS.rglob("*.md")) if any(word in str(page.relative_to(ROOT)) for word in words)]
    with Shared(DOCS, binary) as shared:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            counts = list(pool.map(lambda page: follow(page, binary, shared), pages))
    if not sys.argv[1:]:
        counts.append(complete(binary))
    passed, failed = (sum(column) for column in zip(*counts))
    print(f"\n{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
