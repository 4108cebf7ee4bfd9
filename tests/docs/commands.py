#!/usr/bin/env python3
"""Writes the second half of docs/reference/commands.md from what `--help` says.

    tests/docs/commands.py           writes it
    tests/docs/commands.py --check   ends with 1 when the page says something else

Options that every command takes stand once, at the top.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
from devserver import find_binary  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "commands.md"
BELOW = "<!-- From here on written by tests/docs/commands.py -->\n"
GLOBAL = re.compile(r"^ +(?:-n, --namespace|--server|-h, --help)\b.*\n(?: {10,}.*\n)*", re.MULTILINE)
SUBCOMMAND = re.compile(r"^  ([a-z][a-z-]*)  ", re.MULTILINE)


def help_of(binary, *words):
    return subprocess.run([binary, *words, "--help"], capture_output=True, text=True, check=True).stdout


def section(binary, *words):
    """The help of a command, and of those below it."""
    text = help_of(binary, *words)
    below = re.search(r"^Commands:\n((?:  .*\n)+)", text, re.MULTILINE)
    title = f"{'#' * (len(words) + 1)} `consort {' '.join(words)}`"
    shown = re.sub(r"\nOptions:\n(?=\n|\Z)", "\n", GLOBAL.sub("", text)).strip()
    shown = re.sub(r"\n{3,}", "\n\n", re.sub(r" +$", "", shown, flags=re.MULTILINE))
    parts = [f"{title}\n\n```text\n{shown}\n```\n"]
    for name in SUBCOMMAND.findall(below[1]) if below else []:
        parts.append(section(binary, *words, name))
    return "\n".join(parts)


def generated(binary):
    commands = SUBCOMMAND.findall(re.search(r"^Commands:\n((?:  .*\n)+)", help_of(binary), re.MULTILINE)[1])
    return "\n".join(section(binary, name) for name in commands)


def differs(binary):
    """Whether the page says something else than the program."""
    return PAGE.read_text().partition(BELOW)[2].strip() != generated(binary).strip()


def main():
    binary = find_binary()
    if "--check" in sys.argv:
        return int(differs(binary))
    above = PAGE.read_text().partition(BELOW)[0]
    PAGE.write_text(f"{above}{BELOW}\n{generated(binary)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
