"""The disk of the data folder is full: starts are refused with their own code, what runs goes on by itself.

The data folder is a small file system of its own. Making one needs the right to mount; where that is missing the
test fails and says so, since a full disk is part of what Consort promises.
"""

import subprocess
import unittest
from contextlib import suppress

from harness import ENDED, Case, Server, end, until, write_project, write_service

SMALL, LARGE = "12m", "64m"

WORK = """
import time

def work(body):
    while not os.path.exists(os.environ["GO_ON"]):
        time.sleep(0.02)
    return {"text": "x" * 20_000}

serve(work=work)
"""


class ADiskThatIsFull(Case):
    def small_disk(self, size):
        """A folder that holds no more than so much."""
        place = self.new_folder() / "disk"
        place.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", place], capture_output=True, text=True, check=False)
        self.assertEqual(mounted.returncode, 0, f"a small file system cannot be mounted here: {mounted.stderr}")
        self.addCleanup(subprocess.run, ["umount", "--lazy", place], check=True)
        return place

    def test_starts_are_refused_and_what_was_acknowledged_ends_once_there_is_room(self):
        go_on = self.folder / "go-on"
        worker = write_service(
            self.folder, "worker", WORK, environment={"GO_ON": str(go_on)}, scale={"concurrency": 64},
            operations={"work": {"input": {"text": "string"}, "output": {"text": "string"}}},
        )  # fmt: skip
        flow = {"input": {"text": "string"}, "steps": {"a": {"call": "worker.work", "with": {"text": "${input.text}"}}, "b": {"value": "${a.text}"}}}
        project = write_project(self.folder, {"worker": worker}, {"flow": flow})
        disk = self.small_disk(SMALL)
        server = Server(self.new_folder())
        server.data = disk / "data"
        self.addCleanup(server.stop)
        server.start()
        self.apply(server, project)

        acknowledged, refused = [], None
        for number in range(2_000):
            answer = server.api("POST", "/workflows/flow/runs", {"input": {"text": "y" * 20_000}, "key": f"k{number}"})
            if answer.status != 201:
                refused = answer
                break
            acknowledged.append(answer.json["id"])
        self.assertIsNotNone(refused, "the disk was never full")
        self.assertProblem(refused, 507, "E_DISK_FULL")
        self.assertGreater(len(acknowledged), 10)
        self.assertEqual(server.ask("GET", "/healthz").status, 200, "it lives")
        for run in acknowledged:
            server.get(f"/runs/{run}")

        go_on.touch()  # results come in and find no room either
        subprocess.run(["mount", "-o", f"remount,size={LARGE}", disk], check=True)
        for run in acknowledged:
            self.assertEqual(server.reaches(run, ENDED)["state"], "succeeded")
        listed = {run["id"] for run in server.get("/runs", limit=500)["items"]}
        self.assertEqual(listed, set(acknowledged), "what was refused was not started")
        until(lambda: server.api("POST", "/workflows/flow/runs", {"input": {"text": "z"}}).status == 201, "starts are taken again")

    def test_a_server_on_a_full_disk_can_be_told_to_end(self):
        disk = self.small_disk(SMALL)
        server = Server(self.new_folder())
        server.data = disk / "data"
        self.addCleanup(end, server)
        server.start()
        self.apply(server, write_project(self.folder, {}, {"flow": {"input": {"text": "string"}, "steps": {"a": {"wait": "1h"}}}}))
        filler = disk / "filler"
        fill(filler)
        until(lambda: server.api("POST", "/workflows/flow/runs", {"input": {"text": "y" * 200_000}}).status == 507, "starts are refused")
        fill(filler)
        self.assertEqual(server.stop(), 0)


def fill(path):
    """Takes all the room that is left."""
    with open(path, "ab", buffering=0) as file, suppress(OSError):
        while file.write(bytes(64 << 10)):
            pass


if __name__ == "__main__":
    unittest.main()
