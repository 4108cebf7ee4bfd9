#!/usr/bin/env python3
"""The closing line of `make test` is only as honest as these readers."""

import unittest

import counts

NEXTEST = "────────────\n     Summary [   3.101s] 12 tests run: 9 passed (1 slow, 1 flaky), 2 failed, 1 timed out, 4 skipped\n"
CARGO = "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured\n\ntest result: FAILED. 3 passed; 2 failed; 0 ignored\n"
CASES = [
    ("nextest", counts.nextest, NEXTEST, (9, 3)),
    ("nextest, one test", counts.nextest, "     Summary [   0.012s] 1 test run: 1 passed, 0 skipped\n", (1, 0)),
    ("nextest, stopped early", counts.nextest, "     Summary [   0.1s] 3/9 tests run: 2 passed, 1 failed, 0 skipped\n", (2, 1)),
    ("nextest, does not build", counts.nextest, "error: could not compile `consort-types`\n", None),
    ("cargo test adds up its binaries", counts.cargo_test, CARGO, (8, 2)),
    ("cargo test, does not build", counts.cargo_test, "error[E0425]: cannot find value\n", None),
    ("vitest", counts.vitest, " Test Files  3 passed (3)\n      Tests  57 passed (57)\n", (57, 0)),
    ("vitest, failed", counts.vitest, " Test Files  1 failed (1)\n      Tests  1 failed | 4 passed | 2 skipped (7)\n", (4, 1)),
    ("vitest, broken file", counts.vitest, " Test Files  1 failed (1)\n      Tests  no tests\n", None),
    ("node, tap", counts.node_test, "# tests 9\n# pass 8\n# fail 1\n# cancelled 0\n", (8, 1)),
    ("node, spec", counts.node_test, "ℹ tests 3\nℹ pass 3\nℹ fail 0\nℹ cancelled 2\n", (3, 2)),
    ("node, crashed", counts.node_test, "SyntaxError: Unexpected token\n", None),
    ("unittest", counts.unittest, "Ran 7 tests in 2.134s\n\nOK\n", (7, 0)),
    ("unittest, skipped", counts.unittest, "Ran 7 tests in 2.134s\n\nOK (skipped=2)\n", (5, 0)),
    ("unittest, failed", counts.unittest, "Ran 7 tests in 2.1s\n\nFAILED (failures=1, errors=2, skipped=1)\n", (3, 3)),
    ("unittest, killed", counts.unittest, "test_a ... ok\n", None),
    ("our own", counts.closing_line, "said 3 passed, 1 failed before\n4 passed, 1 failed\n", (4, 1)),
    ("our own, none", counts.closing_line, "nothing\n", None),
]


class Counts(unittest.TestCase):
    def test_each_reader(self):
        for name, read, text, expected in CASES:
            with self.subTest(name):
                self.assertEqual(read(text), expected)

    def test_colours_are_no_part_of_a_line(self):
        self.assertEqual(counts.vitest(counts.plain("\x1b[2m      Tests \x1b[22m \x1b[32m7 passed\x1b[39m (7)\n")), (7, 0))


if __name__ == "__main__":
    unittest.main()
