"""Runs every end-to-end test, several files at once, and ends with `5 passed, 0 failed`.

The files share nothing, and wait more than they work. What a file said is shown when it is done.
"""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
AT_ONCE = 2
DEADLINE_S = 600


def main():
    files = sorted(path.stem for path in HERE.glob("test_*.py"))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        counts = list(pool.map(run, files))
    passed, failed = (sum(column) for column in zip(*counts))
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


def run(file):
    """How many tests of a file passed and failed; one that came to no count has failed."""
    command = [sys.executable, "-B", "-m", "unittest", "-v", *sys.argv[1:], file]
    try:
        done = subprocess.run(command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=DEADLINE_S, check=False)
    except subprocess.TimeoutExpired as late:
        print(f"--- {file}: took more than {DEADLINE_S} s\n{(late.output or b'').decode(errors='replace')}", flush=True)
        return 0, 1
    print(f"--- {file}\n{done.stdout}", flush=True)
    ran = re.search(r"^Ran (\d+) tests? in ", done.stdout, re.MULTILINE)
    if not ran:
        return 0, 1
    # A part of a test that fails (a subTest) is a failure of its own; the test is counted once.
    broken = {name for name in re.findall(r"^(?:FAIL|ERROR): (\S+ \(\S+\))", done.stdout, re.MULTILINE)}
    failed = max(len(broken), int(done.returncode != 0 and not broken))
    return max(int(ran[1]) - failed, 0), failed


if __name__ == "__main__":
    sys.exit(main())
