"""`previous`: what the last run gave that succeeded, across runs in line, revisions and the death of the server."""

import unittest

from harness import Case, write_project

PAD = 300_000  # longer than what stands in a history by itself


def watermark(**more):
    return {
        "input": {"of": "string", "fails?": "boolean", "pad?": "string"},
        "concurrency": {"limit": 1, "key": "${input.of}"},
        "steps": {
            "seen": {"value": "${default(previous.upto, 0)}"},
            "bad": {"when": "default(input.fails, false)", "fail": {"message": "no"}, "after": ["seen"]},
        },
        "output": {"upto": "${seen + 1}", "pad": "${default(input.pad, '')}", "came": "${size(default(previous.pad, ''))}"},
        **more,
    }


PARENT = {"steps": {"first": {"run": "load", "with": {"of": "child"}}, "second": {"run": "load", "with": {"of": "child"}, "after": ["first"]}}}


class Previous(Case):
    def upto(self, server, of, **more):
        run = server.run("load", {"of": of, **more})
        return run["output"] and run["output"]["upto"]

    def test_a_run_goes_on_where_the_last_one_of_its_key_ended(self):
        server = self.server()
        self.apply(server, write_project(self.folder, {}, {"load": watermark(), "all": PARENT}))
        self.assertEqual([self.upto(server, "a"), self.upto(server, "a")], [1, 2])
        self.assertEqual(self.upto(server, "b"), 3, "the first of its key sees the last of all")
        self.assertIsNone(self.upto(server, "a", fails=True))
        server.kill()
        server.start()
        self.assertEqual(self.upto(server, "a"), 3, "one that failed does not count")
        self.assertEqual(server.run("all")["output"]["second"]["upto"], 5, "children, too")
        in_line = [server.begin("load", {"of": "line"})["id"] for _ in range(5)]
        upto = [server.ended(run)["output"]["upto"] for run in in_line]
        self.assertEqual(upto, list(range(upto[0], upto[0] + 5)), "each sees the one before it in line")

    def test_a_large_output_is_seen_and_a_run_in_line_sees_it_after_a_kill(self):
        server = self.server()
        held = watermark()
        held["steps"]["go"] = {"await": {"signal": "go"}, "after": ["seen"]}
        self.apply(server, write_project(self.folder, {}, {"load": held}))
        first = server.begin("load", {"of": "a", "pad": "x" * PAD})["id"]
        second = server.begin("load", {"of": "a"})["id"]
        server.reaches(first, "waiting")
        server.kill()
        server.start()
        self.assertEqual(server.act(first, "signals/go").status, 200)
        server.ended(first)
        server.reaches(second, "waiting")
        server.kill()
        server.start()
        server.act(second, "signals/go")
        output = server.ended(second)["output"]
        self.assertEqual((output["upto"], output["came"]), (2, PAD))

    def test_a_revision_that_asks_for_the_first_time_sees_an_older_run(self):
        server = self.server()
        older = {"input": {"pad": "string"}, "steps": {"v": {"value": 41}}, "output": {"upto": "${v}", "pad": "${input.pad}"}}
        for pad in (10, PAD):
            self.apply(server, write_project(self.folder, {}, {"load": older, f"other{pad}": older}))
            server.run("load", {"pad": "x" * pad})
        self.apply(server, write_project(self.folder, {}, {"load": watermark()}))
        output = server.run("load", {"of": "a"})["output"]
        self.assertEqual((output["upto"], output["came"]), (42, PAD))


if __name__ == "__main__":
    unittest.main()
