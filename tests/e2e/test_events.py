"""Events: in all modes of HTTP, awaited by runs, and neither lost nor doubled when the server is killed."""

import json
import threading
import unittest

from harness import Case, until, write_project

EVENT = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "order.paid", "data": {"id": "a"}}


def project(folder):
    order = {
        "input": {"id": "string"},
        "steps": {
            "made": {"emit": {"type": "order.made", "subject": "orders/${input.id}", "data": {"id": "${input.id}"}}},
            "paid": {"await": {"event": "order.paid", "where": "event.data.id == input.id"}, "after": ["made"]},
        },
        "output": "${paid.id}",
    }
    watcher = {"steps": {"end": {"await": {"event": "consort.run.*", "where": "event.subject == 'order' && event.type != 'consort.run.started'"}}}, "output": "${end.type}"}
    late = {"steps": {"never": {"await": {"event": "never"}, "timeout": "100ms", "on_timeout": "late"}}, "output": "${never}"}
    return write_project(folder, {}, {"order": order, "watcher": watcher, "late": late})


class Events(Case):
    def setUp(self):
        super().setUp()
        self.node = self.server()
        self.apply(self.node, project(self.folder))

    def post(self, body, media="application/cloudevents+json", **headers):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.node.api("POST", "/events", body, {"Content-Type": media, **names})

    def items(self, **query):
        return self.node.get("/events", limit=500, **query)["items"]

    def test_all_three_modes_are_taken_and_wrong_events_are_refused(self):
        answer = self.post(EVENT)
        self.assertEqual((answer.status, answer.json["accepted"], answer.json["duplicates"]), (202, 1, 0))
        again = self.post(EVENT)
        self.assertEqual((again.status, again.json["accepted"], again.json["duplicates"]), (202, 0, 1))
        self.assertEqual(again.json["keys"], answer.json["keys"])
        batch = self.post([{**EVENT, "id": "2"}, {**EVENT, "id": "3", "type": "stock.low"}], "application/cloudevents-batch+json")
        self.assertEqual((batch.status, batch.json["accepted"]), (202, 2))
        binary = self.post(b"hello", "text/plain", ce_specversion="1.0", ce_id="4", ce_source="/shop", ce_type="note", ce_subject="Gr%C3%BC%C3%9Fe")
        self.assertEqual(binary.status, 202, binary.body)
        self.assertEqual([event["id"] for event in self.items()], ["4", "3", "2", "1"])
        self.assertEqual([event["id"] for event in self.items(type="order.*")], ["2", "1"])
        note = self.node.get("/events/4")
        self.assertEqual((note["data"], note["subject"], note["datacontenttype"]), ("hello", "Grüße", "text/plain"))
        self.assertEqual(self.node.get(f"/events/{note['key']}"), note)
        first = self.node.get("/events", limit=3)
        rest = self.node.get("/events", limit=3, cursor=first["next_cursor"])
        self.assertEqual(([event["id"] for event in rest["items"]], rest["next_cursor"]), (["1"], None))
        for body, media, status, code in [
            ({**EVENT, "specversion": "0.3"}, "application/cloudevents+json", 422, "E_EVENT"),
            ({"id": "9"}, "application/cloudevents+json", 422, "E_EVENT"),
            ({**EVENT, "source": "/runs/x"}, "application/cloudevents+json", 422, "E_EVENT"),
            ({**EVENT, "type": "consort.run.failed"}, "application/cloudevents+json", 422, "E_EVENT"),
            ([EVENT, {"id": 1}], "application/cloudevents-batch+json", 422, "E_EVENT"),
            (b"{", "application/cloudevents+json", 400, "E_JSON"),
            (b"x", "text/plain", 415, "E_MEDIA_TYPE"),
        ]:
            refused = self.post(body, media)
            self.assertEqual((refused.status, refused.json["code"]), (status, code), refused.body)
        self.assertEqual(len(self.items()), 4, "nothing of a refused request is there")
        self.assertEqual(self.node.api("GET", "/events/none").status, 404)

    def test_a_run_takes_the_event_that_is_for_it(self):
        early = self.node.begin("order", {"id": "early"})["id"]
        self.node.reaches(early, "waiting")
        waiting = self.node.get(f"/runs/{early}")["waiting_on"]
        self.assertEqual((waiting["kind"], waiting["name"]), ("event", "order.paid"))
        watcher = self.node.begin("watcher")["id"]
        self.node.reaches(watcher, "waiting")
        self.post({**EVENT, "id": "other", "data": {"id": "somebody else"}})
        sent = self.node.cli("events", "send", "order.paid", "-d", '{"id": "early"}', "--id", "mine")
        self.assertEqual(sent.returncode, 0, sent.stderr)
        run = self.node.ended(early)
        self.assertEqual((run["state"], run["output"]), ("succeeded", "mine"))
        self.assertEqual(self.node.ended(watcher)["output"], "consort.run.succeeded")
        made = self.items(type="order.made")
        self.assertEqual([(event["source"], event["subject"]) for event in made], [(f"/runs/{early}", "orders/early")])
        listed = json.loads(self.node.cli("events", "list", "--type", "order.*", "--json").stdout)
        self.assertEqual([event["type"] for event in listed["items"]], ["order.paid", "order.paid", "order.made"])
        self.assertIn("order.made", self.node.cli("events").stdout)
        self.assertEqual(self.node.run("late")["output"], "late")

    def test_events_and_those_who_wait_survive_the_death_of_the_server(self):
        ids = [f"o{n}" for n in range(20)]
        runs = {name: self.node.begin("order", {"id": name})["id"] for name in ids}
        acknowledged = []

        def send():
            for name in ids:
                try:
                    if self.post({**EVENT, "id": f"paid-{name}", "data": {"id": name}}).status == 202:
                        acknowledged.append(name)
                except OSError:
                    return

        sender = threading.Thread(target=send)
        sender.start()
        until(lambda: len(acknowledged) >= 5, "some events are acknowledged")
        self.node.kill()
        sender.join()
        self.node.start()
        for name in acknowledged:
            self.assertEqual(self.node.ended(runs[name])["output"], f"paid-{name}", "an acknowledged event is not lost")
        for name in ids:
            self.assertEqual(self.post({**EVENT, "id": f"paid-{name}", "data": {"id": name}}).status, 202)
        for name in ids:
            self.assertEqual(self.node.ended(runs[name])["output"], f"paid-{name}")
        self.assertEqual(len(self.items(type="order.paid")), len(ids), "none is there twice")
        self.assertEqual(len(self.items(type="order.made")), len(ids), "each run told of itself once")


if __name__ == "__main__":
    unittest.main()
