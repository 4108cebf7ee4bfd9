#!/usr/bin/env python3
"""Looks at a finished run in a real browser: `npm run e2e` of the pages against the release binary."""

import json
import subprocess
import sys

from devserver import ROOT, DevServer, ServerError

EXAMPLE = ROOT / "examples" / "loan-application"
WORKFLOW = "loan-application"


def main():
    try:
        with DevServer(EXAMPLE) as server:
            server.wait_until_deployed(WORKFLOW, tell=lambda status: print(status, flush=True))
            run = finished_run(server)
            environment = {**server.environment(), "CONSORT_URL": server.url, "CONSORT_RUN": run["id"]}
            return subprocess.run(["npm", "run", "e2e"], cwd=ROOT / "ui", env=environment, check=False).returncode
    except ServerError as error:
        print(error, file=sys.stderr)
        return 1


def finished_run(server):
    case = json.loads((EXAMPLE / "cases.json").read_text())[0]
    stubs = server.folder / "stubs"
    subprocess.run([sys.executable, EXAMPLE / "generate.py", "--cases", "--out", stubs], check=True)
    started = server.command(
        "run", WORKFLOW, "--json", "-i", f"applicant={case['applicant']}",
        "-i", f"document=@{stubs / case['file']}", "-i", f"declared={case['declared']}",
    )  # fmt: skip
    if started.returncode != 0:
        raise ServerError(f"the run did not succeed: {started.stderr}")
    return json.loads(started.stdout.splitlines()[-1])


if __name__ == "__main__":
    sys.exit(main())
