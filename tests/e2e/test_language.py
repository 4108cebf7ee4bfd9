"""Every step kind and every modifier, against real services: the table of `language.py`."""

import unittest

from harness import SharedServer, until, write_project
from language import ROWS, problems, services, workflows


def act_when_waiting(case, server, run, acts):
    """Gives a run what it waits for, each in its turn."""
    for route, body in acts:
        until(lambda: server.get(f"/runs/{run}")["state"] == "waiting", lambda: f"{run} waits: {server.get(f'/runs/{run}')}")
        answer = server.act(run, route, body)
        case.assertIn(answer.status, (200, 201, 202, 204), f"{route}: {answer.body.decode()}")


class EveryRow(SharedServer):
    @classmethod
    def project(cls, folder):
        cls.effects = folder / "effects"
        write_project(folder, services(folder, cls.effects, takes_s=0.01), workflows(), pools={"seats": 2})

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # All at once: each run only sees its own.
        cls.runs = {name: cls.shared.begin(name, row.input)["id"] for name, row in ROWS.items()}

    def check(self, name):
        row, run = ROWS[name], self.runs[name]
        act_when_waiting(self, self.shared, run, row.acts)
        ended = self.shared.ended(run)
        self.assertEqual(problems(row, ended, self.effects), [], f"{ended}\n{self.shared.steps(run)}\n{self.shared.words()}")


for row_name in ROWS:
    setattr(EveryRow, f"test_{row_name.replace('-', '_')}", lambda self, name=row_name: self.check(name))


if __name__ == "__main__":
    unittest.main()
