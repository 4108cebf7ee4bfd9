"""Services whose operations stand in an OpenAPI document: what they really receive, and what is checked before."""

import base64
import json
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

from harness import Case, lines_of, write_project, write_service

RECORDS = """
from urllib.parse import urlsplit

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        target = urlsplit(self.path)
        if target.path != "/healthz":
            note(os.environ["CALLS"], {
                "method": self.command, "path": target.path, "query": target.query,
                "type": self.headers.get("Content-Type"), "body": body.decode(), "key": self.headers.get("Idempotency-Key"),
            })
        if self.command == "DELETE":
            self.send_response(204)
            self.end_headers()
            return
        pet = {"id": 7, "name": "Tom", "nick": None, "more": [1]}
        out = json.dumps([pet, pet] if target.path == "/pets" and self.command == "GET" else pet).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_request(self, *_):
        pass

ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""

PET = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "name": {"type": "string"},
        "kind": {"type": "string", "enum": ["cat", "dog"], "default": "cat"},
        "nick": {"type": "string", "nullable": True},
    },
}

NAMED = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}


def document(version, pet):
    """The same service in either version."""
    one = {"200": {"description": "ok", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}}}
    body = {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}}
    return {
        "openapi": version,
        "info": {"title": "Pets", "version": "1"},
        "paths": {
            "/pets": {
                "get": {
                    "operationId": "listPets",
                    "parameters": [
                        {"name": "tag", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                        {"name": "sort", "in": "query", "explode": False, "schema": {"type": "array", "items": {"type": "string"}}},
                        {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 20}},
                    ],
                    "responses": {"200": {"description": "ok", "content": {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}}}}}},
                },
                "post": {"operationId": "addPet", "requestBody": body, "responses": one},
            },
            "/pets/{id}": {
                "parameters": [NAMED],
                "get": {"responses": one},
                "put": {"operationId": "replacePet", "requestBody": body, "responses": one},
                "delete": {"operationId": "removePet", "parameters": [{"name": "why", "in": "query", "schema": {"type": "string"}}], "responses": {"204": {"description": "gone"}}},
            },
        },
        "components": {"schemas": {"Pet": pet}},
    }


STEPS = {
    "all": {"call": "pets.list_pets", "with": {"tag": ["a b", "c&d"], "sort": ["name", "id,x"]}},
    "names": {"value": "${all.map(pet, pet.name)}"},
    "added": {"call": "pets.add_pet", "after": ["all"], "with": {"name": "Tom"}},
    "one": {"call": "pets.get_pets_id", "after": ["added"], "with": {"id": "${input.id}"}},
    "replaced": {"call": "pets.replace_pet", "after": ["one"], "with": {"id": "7", "name": "${one.name}", "nick": None, "kind": "dog"}},
    "removed": {"call": "pets.remove_pet", "after": ["replaced"], "with": {"id": "7", "why": "ü?"}},
}


class OpenApi(Case):
    def project_of(self, version, pet, ending, **definition):
        folder = self.new_folder()
        self.calls = folder / "calls"
        service = write_service(folder, "pets", RECORDS, environment={"CALLS": str(self.calls)}, openapi=f"./api/pets.{ending}", **definition)
        (folder / "api").mkdir()
        (folder / "api" / f"pets.{ending}").write_text(json.dumps(document(version, pet), indent=1))
        workflow = {"input": {"id": "string"}, "steps": STEPS, "output": {"names": "${names}", "removed": "${removed}"}}
        return write_project(folder, {"pets": service}, {"w": workflow})

    def test_both_versions_call_what_the_document_says(self):
        newer = {**PET, "properties": {**PET["properties"], "nick": {"type": ["string", "null"]}}}
        for version, pet, ending in [("3.0.3", PET, "yaml"), ("3.1.0", newer, "json")]:
            with self.subTest(version):
                folder = self.project_of(version, pet, ending)
                server = self.server()
                self.apply(server, folder)
                run = server.run("w", {"id": "a/b ü"})
                self.assertEqual(run["state"], "succeeded", run)
                self.assertEqual(run["output"], {"names": ["Tom", "Tom"], "removed": None})
                got = [(call["method"], call["path"], call["query"], call["type"], call["body"] and json.loads(call["body"])) for call in lines_of(self.calls)]
                self.assertEqual(got, [
                    ("GET", "/pets", "tag=a%20b&tag=c%26d&sort=name,id%2Cx&limit=20", None, ""),
                    ("POST", "/pets", "", "application/json", {"name": "Tom", "kind": "cat"}),
                    ("GET", "/pets/a%2Fb%20%C3%BC", "", None, ""),
                    ("PUT", "/pets/7", "", "application/json", {"name": "Tom", "nick": None, "kind": "dog"}),
                    ("DELETE", "/pets/7", "why=%C3%BC%3F", None, ""),
                ])  # fmt: skip
                operations = server.service("pets")["operations"]
                self.assertEqual(sorted(operations), ["add_pet", "get_pets_id", "list_pets", "remove_pet", "replace_pet"])
                direct = server.api("POST", "/services/pets/operations/get_pets_id", {"id": "1"})
                self.assertEqual((direct.status, direct.json["name"]), (200, "Tom"))
                self.assertProblem(server.api("POST", "/services/pets/operations/get_pets_id", {"idd": "1"}), 422, "E_INPUT")

    def test_a_document_that_changes_makes_a_revision_when_calls_change(self):
        folder = self.project_of("3.0.3", PET, "json")
        server = self.server()
        self.apply(server, folder)
        place = Path(folder) / "api" / "pets.json"
        described = json.loads(place.read_text())
        described["info"]["title"] = "Beasts"
        place.write_text(json.dumps(described))
        self.apply(server, folder)
        self.assertEqual(server.service("pets")["revision"], "1")
        described["components"]["schemas"]["Pet"]["required"].append("id")
        place.write_text(json.dumps(described))
        self.apply(server, folder)
        self.assertEqual(server.service("pets")["revision"], "2")
        described["paths"]["/pets"]["get"]["parameters"][0]["schema"] = {"$ref": "#/components/schemas/Gone"}
        place.write_text(json.dumps(described, indent=1))
        refused = self.apply(server, folder, expect=2)
        self.assertIn("api/pets.json:", refused.stderr + refused.stdout)
        self.assertIn("E_OPENAPI", refused.stderr + refused.stdout)

    def test_secrets_in_headers_arrive_and_show_nowhere(self):
        secret, got = "s3cr/t \"key\"+1", []

        class Echo(BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                got.append(self.headers["Authorization"])
                spellings = [secret, quote(secret, safe=""), base64.b64encode(f"u:{secret}".encode()).decode()]
                body = json.dumps({"error": "denied", "message": f"not {secret}", "tried": spellings}).encode()
                self.send_response(403)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_request(self, *_):
                pass

        echo = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        self.addCleanup(echo.server_close)
        self.addCleanup(echo.shutdown)
        threading.Thread(target=echo.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{echo.server_address[1]}"
        folder = write_project(
            self.new_folder(),
            {"safe": {"url": url, "headers": {"Authorization": "Bearer ${secrets.token}"}, "operations": {"open": {}}}},
            {"w": {"steps": {"a": {"call": "safe.open"}}}},
            secrets={"token": {"environment": "SAFE_TOKEN"}},
        )
        server = self.server(environment={"SAFE_TOKEN": secret})
        self.apply(server, folder)
        run = server.run("w")
        self.assertEqual((run["state"], run["error"]["code"], got), ("failed", "denied", [f"Bearer {secret}"]))
        shown = "".join(
            server.api("GET", path).body.decode()
            for path in (f"/runs/{run['id']}", f"/runs/{run['id']}/steps", f"/runs/{run['id']}/history", f"/runs/{run['id']}/logs", "/services")
        )  # fmt: skip
        shown += server.api("POST", "/services/safe/operations/open", {}).body.decode() + server.log.read_text()
        for spelling in ("s3cr", base64.b64encode(f"u:{secret}".encode()).decode()[4:12]):
            self.assertNotIn(spelling, shown)


if __name__ == "__main__":
    unittest.main()
