"""The table of `language.py` again, with `kill -9` of the server in the middle of every row."""

import unittest

from harness import Case, alive, lines_of, until, write_project
from language import ROWS, problems, services, workflows
from test_language import act_when_waiting

KILLS = 3


class EveryRowAcrossKills(Case):
    def test_every_run_ends_as_if_nothing_had_happened(self):
        effects = self.folder / "effects"
        project = write_project(self.folder, services(self.folder, effects, takes_s=0.3), workflows(), pools={"seats": 2})
        server = self.server()
        self.apply(server, project)
        runs = {name: server.begin(name, row.input)["id"] for name, row in ROWS.items()}
        for _ in range(KILLS):
            seen = len(lines_of(effects))
            until(lambda: len(lines_of(effects)) >= seen + 10 or self.all_ended(server, runs), "calls are under way")
            below = server.replica_pids()
            server.kill()
            until(lambda: not any(map(alive, below)), "the replicas of the dead server are gone", 5)
            server.start()
        for name, row in ROWS.items():
            with self.subTest(name):
                act_when_waiting(self, server, runs[name], row.acts)
                ended = server.ended(runs[name])
                self.assertEqual(problems(row, ended, effects), [], f"{ended}\n{server.steps(runs[name])}")

    def all_ended(self, server, runs):
        return not server.get("/runs", state="running", limit=1)["items"]


if __name__ == "__main__":
    unittest.main()
