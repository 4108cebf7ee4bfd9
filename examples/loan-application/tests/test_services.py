#!/usr/bin/env python3
"""Each service by itself, without Consort: python3 examples/loan-application/tests/test_services.py"""

import json
import random
import signal
import sqlite3
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from world import CALL_DEADLINE_S, EXAMPLE, World

sys.path.insert(0, str(EXAMPLE))
import generate  # noqa: E402

CASES = json.loads((EXAMPLE / "cases.json").read_text(encoding="utf-8"))
ROUNDING = 0.05  # a pay period's share of a month is rounded to a cent, and its 52 weeks add up
RANDOM_STUBS = 48


def setUpModule():
    global world, documents, parser
    world = World()
    try:
        documents, parser = world.documents(), world.parser()
    except BaseException:
        world.close()
        raise


def tearDownModule():
    world.close()


def split(data, name="stub.pdf"):
    return documents.call("split", {"document": world.files.put(data, name)})


def read(data):
    """What the parser says of each page."""
    status, answer = split(data)
    assert status == 200, answer
    pages = [parser.call("parse", {"page": page}) for page in answer["pages"]]
    assert all(status == 200 for status, _ in pages), pages
    return [page for _, page in pages]


class ReadingStubs(unittest.TestCase):
    def test_any_stub_of_the_two_layouts_gives_its_employer_and_income(self):
        for seed in range(RANDOM_STUBS):
            draw = random.Random(seed)
            stub = generate.complete(
                generate.Stub(
                    layout=draw.choice("ab"),
                    pages=draw.randint(1, generate.MAX_PAGES),
                    monthly=Decimal(draw.randrange(9_00, 32_000_00)) / 100,
                    frequency=draw.choice(list(generate.PERIODS_A_YEAR)),
                    seed=draw.randrange(10**9),
                )
            )
            with self.subTest(stub=stub):
                first, *details = read(generate.render(stub))
                self.assertEqual(first["employer"], stub.employer)
                self.assertAlmostEqual(first["monthly_income"], float(stub.monthly), delta=ROUNDING)
                self.assertEqual(first["confidence"], 1.0)
                self.assertEqual(len(details), stub.pages - 1)
                for page in details:
                    self.assertEqual((page["monthly_income"], page["confidence"]), (None, 0.0))

    def test_names_that_are_long_or_have_signs_that_mean_something_in_a_pdf(self):
        for employer in ["O'Neill (Bros.) \\ Sons", "Müller & Söhne GmbH", "Net pay Ltd.", "VEREINIGTE DRUCKEREIEN HAMBURG-ALTONA UND SOEHNE"]:
            for layout in "ab":
                with self.subTest(employer=employer, layout=layout):
                    page = read(generate.render(generate.Stub(layout=layout, employer=employer, seed=5)))[0]
                    self.assertEqual((page["employer"], page["confidence"]), (employer, 1.0))

    def test_figures_that_contradict_one_another_are_not_trusted(self):
        for layout in "ab":
            page = read(generate.render(generate.Stub(layout=layout, net_is_wrong=True)))[0]
            self.assertLess(page["confidence"], 0.9)
            self.assertGreater(page["confidence"], 0)

    def test_the_same_stub_is_made_of_the_same_bytes_and_split_into_the_same_pages(self):
        stub = generate.Stub(layout="b", pages=3, seed=9)
        self.assertEqual(generate.render(stub), generate.render(stub))
        first, second = split(generate.render(stub)), split(generate.render(stub))
        self.assertEqual(first, second)
        self.assertEqual([page["name"] for page in first[1]["pages"]], [f"stub-page-{n}.pdf" for n in (1, 2, 3)])

    def test_a_page_that_is_no_pdf(self):
        status, error = parser.call("parse", {"page": world.files.put(b"nonsense", "page.pdf")})
        self.assertEqual((status, error["error"]), (422, "unreadable_page"))


class BrokenDocuments(unittest.TestCase):
    WHOLE = generate.render(generate.Stub(layout="a", pages=2, seed=3))

    def test_a_document_that_cannot_be_split_is_refused_with_a_reason(self):
        for data, code in [
            (b"", "not_a_pdf"),
            (b"Dear bank", "not_a_pdf"),
            (b"\x89PNG\r\n\x1a\n" + bytes(3000), "not_a_pdf"),
            (b"%PDF-1.4\n%%EOF\n", "corrupt_pdf"),
            (b"%PDF-1.4\n" + bytes(5000) + b"\n%%EOF\n", "corrupt_pdf"),
        ]:
            with self.subTest(data=data[:20]):
                status, error = split(data, "mine.pdf")
                self.assertEqual((status, error["error"]), (422, code))
                self.assertIn("mine.pdf", error["message"])

    def test_a_cut_off_document_is_never_taken_for_a_whole_one(self):
        end = self.WHOLE.rindex(b"%%EOF")
        for length in range(0, end, end // 40):
            with self.subTest(length=length):
                self.assertEqual(split(self.WHOLE[:length])[0], 422)

    def test_a_document_with_a_hole_is_read_or_refused_but_breaks_nothing(self):
        for start in range(0, len(self.WHOLE) - 60, 60):
            with self.subTest(start=start):
                status, answer = split(self.WHOLE[:start] + bytes(60) + self.WHOLE[start + 60 :])
                self.assertIn(status, (200, 422), answer)
                for page in answer.get("pages", []):
                    self.assertIn(parser.call("parse", {"page": page})[0], (200, 422))

    def test_a_file_that_is_not_stored_is_final_and_a_store_that_is_down_is_not(self):
        gone = {"name": "gone.pdf", "url": f"{world.files.url}/sha256:0"}
        down = {"name": "down.pdf", "url": "http://127.0.0.1:1/x"}
        self.assertEqual(documents.call("split", {"document": gone})[0], 422)
        self.assertEqual(parser.call("parse", {"page": gone})[0], 422)
        self.assertEqual(documents.call("split", {"document": down})[0], 502)
        self.assertEqual(parser.call("parse", {"page": down})[0], 502)


class RefusingRequests(unittest.TestCase):
    def test_a_bad_request_is_answered_with_a_reason_by_every_service(self):
        operations = [
            (documents, "split"), (parser, "parse"), (world.notifier(), "send"), (world.ledger(), "open"),
        ]  # fmt: skip
        for service, operation in operations:
            for body in (b"", b"{", b"[1]", b"{}", b"null", b'"text"', b'{"' + b"x" * 70_000 + b'": 1}'):
                with self.subTest(operation=operation, body=body[:10]):
                    status, error = service.call(operation, body)
                    self.assertIn(status, (400, 413))
                    self.assertTrue(error["error"] and error["message"])
            self.assertEqual(service.call("nothing", {})[0], 404)
        self.assertEqual(world.ledger().call("open", {"owner": "\ud800"})[0], 400)

    def test_the_first_call_fails_where_that_is_switched_on(self):
        failing = world.parser(FAIL_FIRST_CALL="1")
        page = {"page": world.files.put(generate.render(generate.Stub()), "page.pdf")}
        with ThreadPoolExecutor(8) as pool:
            statuses = sorted(status for status, _ in pool.map(lambda _: failing.call("parse", page), range(8)))
        self.assertEqual(statuses, [200] * 7 + [503])

    def test_a_term_signal_ends_every_service_cleanly(self):
        for service in (world.documents(), world.parser(), world.ledger(), world.notifier()):
            self.assertEqual(service.stop(), 0, service.process.args)


    def test_a_term_signal_lets_the_call_in_flight_finish(self):
        file = world.files.put(generate.render(generate.Stub()), "stub.pdf")
        calls = [(world.documents(), "split", {"document": file}), (world.parser(), "parse", {"page": file})]
        for service, operation, value in calls:
            with self.subTest(operation=operation), ThreadPoolExecutor(1) as pool:
                with world.files.slow():
                    answer = pool.submit(service.call, operation, value)
                    self.assertTrue(world.files.asked.acquire(timeout=CALL_DEADLINE_S))
                    service.process.terminate()
                self.assertEqual(answer.result()[0], 200)
                self.assertEqual(service.stop(), 0)


class Income(unittest.TestCase):
    def test_ratio_and_confidence(self):
        for incomes, declared, expected in [
            ([3000], 3000, {"income": 3000, "ratio": 1, "confidence": 1}),
            ([3000, 3000], 4000, {"income": 3000, "ratio": 0.75, "confidence": 1}),
            ([2000, 4000], 3000, {"income": 3000, "ratio": 1, "confidence": 0.3333}),
            ([1, 4000], 3000, {"income": 2000.5, "ratio": 0.6668, "confidence": 0}),
            ([], 3000, {"income": 0, "ratio": 0, "confidence": 0}),
        ]:
            self.assertEqual(world.check_income({"incomes": incomes, "declared": declared}), (0, expected))

    def test_bad_input_ends_with_a_reason(self):
        for request in ["", "{", {}, {"incomes": [1], "declared": 0}, {"incomes": ["x"], "declared": 1}]:
            code, reason = world.check_income(request)
            self.assertEqual(code, 1)
            self.assertIn("income: bad input", reason)


class LedgerTest(unittest.TestCase):
    def actions(self, ledger, owner):
        return [entry["action"] for entry in ledger.call("journal", {"owner": owner})[1]["entries"]]

    def test_a_repeated_key_gets_the_same_account_also_at_once_and_after_a_kill(self):
        file = world.folder / "killed.db"
        ledger = world.ledger(file)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: ledger.call("open", {"owner": "ada"}, key="k1"), range(16)))
        self.assertEqual({status for status, _ in answers}, {200})
        self.assertEqual(len({answer["id"] for _, answer in answers}), 1)
        ledger.stop(signal.SIGKILL)
        ledger = world.ledger(file)
        self.assertEqual(ledger.call("open", {"owner": "ada"}, key="k1"), answers[0])
        self.assertEqual(self.actions(ledger, "ada"), ["open"])
        self.assertEqual(ledger.call("open", {"owner": "eve"}, key="k1")[0], 409)

    def test_open_close_open(self):
        ledger = world.ledger()
        first = ledger.call("open", {"owner": "ada"}, key="k1")[1]["id"]
        ledger.call("open", {"owner": "bob"}, key="k2")
        for _ in range(2):
            self.assertEqual(ledger.call("close", {"id": first}, key="u1"), (200, {}))
        second = ledger.call("open", {"owner": "ada"}, key="k3")[1]["id"]
        self.assertNotEqual(first, second)
        self.assertEqual(self.actions(ledger, "ada"), ["open", "close", "open"])
        self.assertEqual(self.actions(ledger, "nobody"), [])

    def test_an_unknown_account_cannot_be_closed(self):
        status, error = world.ledger().call("close", {"id": "acc_none"})
        self.assertEqual((status, error["error"]), (404, "unknown_account"))

    def test_a_fault_of_the_database_may_be_tried_again(self):
        file = world.folder / "faulty.db"
        ledger = world.ledger(file)
        with sqlite3.connect(file) as db:
            db.execute("DROP TABLE journal")
        self.assertEqual(ledger.call("open", {"owner": "ada"}, key="k1")[0], 503)


class Notifier(unittest.TestCase):
    def test_a_letter_that_is_sent_twice_is_one_notice(self):
        notifier = world.notifier()
        for key in ("k1", "k1", "k2"):
            self.assertEqual(notifier.call("send", {"to": "ada@post.example", "approved": True}, key)[0], 200)
        notices = [json.loads(file.read_text()) for file in notifier.outbox.glob("*.json")]
        self.assertEqual(notices, [{"to": "ada@post.example", "approved": True}] * 2)

    def test_an_address_that_cannot_be_reached_is_final(self):
        notifier = world.notifier()
        for to in ("a@b.invalid", "a@INVALID", "x.invalid"):
            status, error = notifier.call("send", {"to": to}, "k1")
            self.assertEqual((status, error["error"]), (422, "undeliverable_address"))
        self.assertEqual(list(notifier.outbox.glob("*.json")), [])

    def test_a_greylisted_address_takes_the_second_letter_and_never_another_copy_of_the_first(self):
        notifier = world.notifier()
        notice = {"to": "a@greylist.example"}
        sent = lambda key: notifier.call("send", notice, key)[0]  # noqa: E731
        self.assertEqual([sent("k1"), sent("k1")], [503, 503])
        notifier.stop(signal.SIGKILL)
        notifier = world.notifier(outbox=notifier.outbox)
        self.assertEqual([sent("k1"), sent("k2"), sent("k2"), sent("k3")], [503, 200, 200, 503])


class TheTable(unittest.TestCase):
    """cases.json against the services, walked by hand as the workflow walks them."""

    def test_every_case_leads_where_it_says(self):
        ledger, notifier = world.ledger(), world.notifier()
        for case in CASES:
            with self.subTest(case=case["name"]):
                result = walk(case, ledger, notifier)
                journal = ledger.call("journal", {"owner": case["applicant"]})[1]["entries"]
                result["ledger"] = [entry["action"] for entry in journal]
                notices = [json.loads(file.read_text()) for file in notifier.outbox.glob("*.json")]
                result["notice"] = case["applicant"] in [notice["to"] for notice in notices]
                expected = json.loads(json.dumps(case["expected"]))
                if "error" in expected:
                    self.assertIn(expected["error"].pop("message"), result["error"].pop("message"))
                self.assertEqual(result, expected)

    def test_the_readme_has_the_same_table(self):
        readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
        written = [line for line in readme.splitlines() if line.startswith("| `")]
        self.assertEqual(written, [table_row(case) for case in CASES])

    def test_every_case_is_an_applicant_of_its_own(self):
        self.assertEqual(len({case["applicant"] for case in CASES}), len(CASES))
        self.assertEqual(len({case["file"] for case in CASES}), len(CASES))


def walk(case, ledger, notifier):
    status, answer = split(generate.render(generate.stub_of(case["stub"])), case["file"])
    if status != 200:
        return failed(answer)
    fields = [parser.call("parse", {"page": page})[1] for page in answer["pages"]]
    incomes = [page["monthly_income"] for page in fields if page["monthly_income"] is not None]
    check = world.check_income({"incomes": incomes, "declared": case["declared"]})[1]
    reason = decide(fields, check)
    for turn in ("first", "second"):  # the workflow's retry from a clean slate
        key, account = f"{case['name']}-{turn}", None
        if reason == "income_confirmed":
            account = ledger.call("open", {"owner": case["applicant"]}, f"{key}-open")[1]["id"]
        status, answer = notifier.call("send", {"to": case["applicant"]}, f"{key}-send")
        if status == 200:
            return {"state": "succeeded", "approved": reason == "income_confirmed", "reason": reason}
        ledger.call("close", {"id": account})
        if status < 500:
            break
    return failed(answer)


def decide(fields, check):
    if any(0 < page["confidence"] < 0.9 for page in fields):
        return "doubtful_page"
    if check["confidence"] < 0.9:
        return "no_clear_income"
    if check["ratio"] < 0.8:
        return "declared_too_much"
    return "income_too_low" if check["income"] < 2000 else "income_confirmed"


def failed(answer):
    return {"state": "failed", "error": {"code": answer["error"], "message": answer["message"]}}


def table_row(case):
    expected = case["expected"]
    if expected["state"] == "failed":
        decision = f"none: `{expected['error']['code']}`"
    else:
        decision = f"{'approved' if expected['approved'] else 'declined'}: `{expected['reason']}`"
    ledger = ", ".join(expected["ledger"]) or "-"
    notice = "yes" if expected["notice"] else "no"
    return f"| `{case['name']}` | {case['about']} | {expected['state']} | {decision} | {ledger} | {notice} |"


if __name__ == "__main__":
    if "--table" in sys.argv:  # what belongs into the README
        print("\n".join(map(table_row, CASES)))
    else:
        unittest.main(verbosity=2)
