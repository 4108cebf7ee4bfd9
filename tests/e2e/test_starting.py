"""A server that cannot start says so once, ends, and does no harm to the one that runs."""

import signal
import socket
import unittest

from harness import Case, consort, free_port, write_project


class AServerThatCannotStart(Case):
    def refused(self, *arguments, codes=(2, 3), word=""):
        said = consort(*arguments, folder=self.folder, timeout_s=20)
        self.assertIn(said.returncode, codes, said)
        first, *rest = said.stderr.strip().splitlines()
        self.assertTrue(first.startswith("error: "), said.stderr)
        self.assertEqual([line.split(":")[0] for line in rest], ["hint"] * len(rest), f"one message and what to do: {said.stderr}")
        self.assertIn(word, first)
        self.assertNotIn("panicked", said.stderr)
        return said.stderr

    def modes(self):
        project = write_project(self.folder / "project", {}, {"one": {"steps": {"it": {"value": 1}}}})
        return (["server"], ["dev", project])

    def test_a_port_in_use_is_named(self):
        for mode in self.modes():
            with self.subTest(mode=mode[0]), socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                taken.listen()
                port = taken.getsockname()[1]
                self.refused(*mode, "--data", self.folder / "data", "--listen", f"127.0.0.1:{port}", word=str(port))

    def test_a_data_folder_that_cannot_be_written_is_named(self):
        file = self.folder / "file"
        file.write_text("not a folder")
        for mode in self.modes():
            with self.subTest(mode=mode[0]):
                self.refused(*mode, "--data", file / "data", "--listen", f"127.0.0.1:{free_port()}", word=str(file))

    def test_an_address_that_others_reach_is_refused(self):
        for address in ("0.0.0.0", "[::]", "192.0.2.1"):
            self.refused("server", "--data", self.folder / "data", "--listen", f"{address}:{free_port()}", word=address)

    def test_a_data_folder_in_use_is_named_and_its_server_goes_on(self):
        server = self.server()
        for mode in self.modes():
            with self.subTest(mode=mode[0]):
                self.refused(*mode, "--data", server.data, "--listen", f"127.0.0.1:{free_port()}", word=str(server.data))
        self.apply(server, write_project(self.folder / "project", {}, {"one": {"steps": {"it": {"value": 1}}, "output": "${it}"}}))
        self.assertEqual(server.run("one")["output"], 1)
        self.assertEqual(server.stop(signal.SIGTERM), 0)

    def test_a_store_that_is_no_store_is_named(self):
        server = self.server()
        server.stop()
        stores = [path for path in server.data.rglob("*") if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3"]
        self.assertTrue(stores)
        for store in stores:
            store.write_bytes(b"this is no database, but somebody's notes" * 200)
            for journal in store.parent.glob(f"{store.name}-*"):
                journal.unlink()
        self.refused("server", "--data", server.data, "--listen", f"127.0.0.1:{free_port()}", word=str(server.data))


if __name__ == "__main__":
    unittest.main()
