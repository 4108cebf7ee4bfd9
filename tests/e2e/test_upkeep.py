"""A data folder is backed up while its server works, restored, and looked over for damage."""

import json
import subprocess
import unittest

from harness import Case, Server, binary, lines_of, until, write_project, write_service

LEDGER = """
import time

def work(body):
    note(os.environ["EFFECTS"], effect())
    until_there(os.environ["GO_ON"])
    return {"id": body["owner"]}

def until_there(path):
    while not os.path.exists(path):
        time.sleep(0.02)

serve(work=work)
"""


def consort(*args):
    return subprocess.run([binary(), *map(str, args)], capture_output=True, text=True, check=False)


class ADataFolder(Case):
    def project(self):
        effects, go_on = self.folder / "effects", self.folder / "go-on"
        ledger = write_service(
            self.folder, "ledger", LEDGER, environment={"EFFECTS": str(effects), "GO_ON": str(go_on)},
            operations={"work": {"input": {"owner": "string"}, "output": {"id": "string"}}},
        )  # fmt: skip
        loan = {"input": {"owner": "string"}, "steps": {"account": {"call": "ledger.work", "with": {"owner": "${input.owner}"}}}, "output": "${account.id}"}
        return write_project(self.folder, {"ledger": ledger}, {"loan": loan}), effects, go_on

    def server_of(self, data):
        """A server on a data folder that is there already."""
        server = Server(self.new_folder())
        server.data = data
        self.addCleanup(server.stop)
        return server.start()

    def test_a_run_goes_on_from_a_backup_that_was_made_while_it_lived(self):
        project, effects, go_on = self.project()
        server = self.server()
        self.apply(server, project)
        run = server.begin("loan", {"owner": "ann"})["id"]
        until(lambda: lines_of(effects), "the call is out")
        backup, restored = self.folder / "backup", self.folder / "restored"
        made = consort("backup", "--data", server.data, backup)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertIn("backed up", made.stdout)
        self.assertEqual(consort("backup", "--verify", backup).returncode, 0)
        again = consort("backup", "--data", server.data, backup)
        self.assertEqual(again.returncode, 2, "nothing is ever overwritten")
        server.kill()

        back = consort("restore", backup, "--data", restored)
        self.assertEqual(back.returncode, 0, back.stderr)
        go_on.touch()
        second = self.server_of(restored)
        ended = second.ended(run)
        self.assertEqual((ended["state"], ended["output"]), ("succeeded", "ann"))

    def test_a_backup_that_was_damaged_or_cut_short_is_refused(self):
        project, _, _ = self.project()
        server = self.server()
        self.apply(server, project)
        backup = self.folder / "backup"
        self.assertEqual(consort("backup", "--data", server.data, backup).returncode, 0)
        store = backup / "consort.db"
        whole = store.read_bytes()
        store.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        for refused in (consort("backup", "--verify", backup), consort("restore", backup, "--data", self.folder / "a")):
            self.assertEqual(refused.returncode, 2)
            self.assertIn("consort.db is not what was copied", refused.stderr)
        self.assertFalse((self.folder / "a").exists(), "half a copy is taken away again")
        store.write_bytes(whole)
        (backup / "manifest.json").unlink()
        refused = consort("restore", backup, "--data", self.folder / "b")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("is no whole backup", refused.stderr)

    def test_the_doctor_names_the_server_and_the_damage(self):
        server = self.server()
        found = json.loads(consort("doctor", "--data", server.data, "--json").stdout)
        self.assertTrue(found["in_use"])
        self.assertEqual([file["health"] for file in found["files"]], ["whole", "whole"])
        server.kill()
        store = server.data / "consort.db"
        store.write_bytes(b"SQLite format 3\0" + bytes(4096))
        found = consort("doctor", "--data", server.data)
        self.assertEqual(found.returncode, 1)
        self.assertIn("no server has it", found.stdout)
        self.assertIn("consort.db: damaged", found.stdout)
        self.assertIn("consort restore", found.stderr)
        self.assertEqual(consort("doctor", "--data", self.folder / "nowhere").returncode, 4)


if __name__ == "__main__":
    unittest.main()
