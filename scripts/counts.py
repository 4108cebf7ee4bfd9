"""How many tests a runner ran, read from its own closing lines.

Each reader gets the whole output and gives `(passed, failed)`, or None where the runner never came to a
count: that is a failure of the step, never zero tests. Skipped tests count as neither.
"""

import re

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def plain(text):
    return ANSI.sub("", text)


def nextest(text):
    """`Summary [ 1.2s] 5 tests run: 3 passed (1 slow), 1 failed, 1 timed out, 2 skipped`."""
    summaries = re.findall(r"^\s*Summary \[[^\]]*\]\s+(?:\d+/)?\d+ tests? run: (.*)$", text, re.MULTILINE)
    if not summaries:
        return None
    passed, failed = 0, 0
    for summary in summaries:
        counts = dict((word, int(n)) for n, word in re.findall(r"(\d+) (passed|failed|exec failed|timed out)\b", summary))
        passed += counts.pop("passed", 0)
        failed += sum(counts.values())
    return passed, failed


def cargo_test(text):
    """`test result: ok. 5 passed; 0 failed; 0 ignored; …`, one for each binary."""
    results = re.findall(r"^test result: \S+ (\d+) passed; (\d+) failed;", text, re.MULTILINE)
    return add(results) if results else None


def vitest(text):
    """`Tests  1 failed | 4 passed | 2 skipped (7)`."""
    lines = re.findall(r"^\s*Tests\s+(.*)\(\d+\)\s*$", text, re.MULTILINE)
    return (number(lines[-1], "passed"), number(lines[-1], "failed")) if lines else None


def node_test(text):
    """`# pass 9` and `# fail 0`, or the same behind `ℹ`."""
    found = {word: int(n) for word, n in re.findall(r"^(?:#|ℹ) (pass|fail|cancelled) (\d+)\s*$", text, re.MULTILINE)}
    return (found["pass"], found["fail"] + found.get("cancelled", 0)) if {"pass", "fail"} <= found.keys() else None


def unittest(text):
    """`Ran 7 tests in 2.1s`, then `OK (skipped=1)` or `FAILED (failures=1, errors=2)`."""
    ran = re.findall(r"^Ran (\d+) tests? in ", text, re.MULTILINE)
    verdict = re.findall(r"^(?:OK|FAILED)(?: \((.*)\))?\s*$", text, re.MULTILINE)
    if not ran or not verdict:
        return None
    counts = {word: int(n) for word, n in re.findall(r"([a-z ]+)=(\d+)", verdict[-1])}
    counts = {word.strip(): n for word, n in counts.items()}
    failed = counts.get("failures", 0) + counts.get("errors", 0) + counts.get("unexpected successes", 0)
    return max(int(ran[-1]) - failed - counts.get("skipped", 0), 0), failed


def closing_line(text):
    """`5 passed, 0 failed` alone on a line: what our own scripts end with."""
    lines = re.findall(r"^(\d+) passed, (\d+) failed\s*$", text, re.MULTILINE)
    return add(lines[-1:]) if lines else None


def add(pairs):
    return sum(int(passed) for passed, _ in pairs), sum(int(failed) for _, failed in pairs)


def number(text, word):
    found = re.search(rf"(\d+) {word}\b", text)
    return int(found.group(1)) if found else 0
