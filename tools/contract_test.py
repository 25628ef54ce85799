"""Each rule of tools/contract.py with a contract, a route list, an answer or an event that breaks it."""

import copy
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import contract as tool  # noqa: E402

OPENAPI = tool.load(tool.OPENAPI)
EVENTS = tool.load(tool.EVENTS)
ID = "usr_01kafx3h9q4m8s2t5v7w9x0yza"


def problem(status, code="not_found"):
    return {"type": "about:blank", "title": "x", "status": status, "detail": "x", "instance": "/x", "code": code,
            "errors": [], "reasons": [], "traceId": "req_1"}


class Lint(unittest.TestCase):
    def faults(self, change, events=None):
        document, journal = copy.deepcopy(OPENAPI), copy.deepcopy(EVENTS)
        if change:
            change(document)
        if events:
            events(journal)
        return "\n".join(tool.lint(tool.Contract(document), journal))

    def test_the_contract_as_it_stands(self):
        self.assertEqual(self.faults(None), "")

    def breaks(self, words, change):
        self.assertIn(words, self.faults(change))

    def test_operations(self):
        login = OPENAPI["paths"]["/api/v1/auth/login"]["post"]
        self.assertEqual(login["operationId"], "login")
        path = lambda d, p, m: d["paths"][p][m]  # noqa: E731
        self.breaks("'operationId' is a required", lambda d: path(d, "/healthz", "get").pop("operationId"))
        self.breaks("two operations", lambda d: path(d, "/healthz", "get").update(operationId="login"))
        self.breaks("nobody has the permission",
                    lambda d: path(d, "/healthz", "get").update({"x-permission": "walk_on_water"}))
        self.breaks("no key has the scope", lambda d: path(d, "/healthz", "get").update({"x-scope": "all"}))
        self.breaks("needs the CSRF token", lambda d: path(d, "/api/v1/users", "post").pop("security"))
        self.breaks("Idempotency-Key", lambda d: path(d, "/api/v1/users", "post").pop("parameters"))
        self.breaks("the parameters of the path",
                    lambda d: d["paths"].update({"/x/{y}": d["paths"].pop("/healthz")}))
        self.breaks("a list takes limit", lambda d: path(d, "/api/v1/users", "get").pop("parameters"))
        self.breaks("has no 401", lambda d: path(d, "/api/v1/users", "get")["responses"].pop("401"))
        self.breaks("has no 415", lambda d: path(d, "/api/v1/users", "post")["responses"].pop("415"))
        self.breaks("has no 409", lambda d: path(d, "/api/v1/projects", "post")["responses"].pop("409"))
        self.breaks("not the shared problem", lambda d: path(d, "/api/v1/users", "get")["responses"].update(
            {"403": {"$ref": "#/components/responses/NotFound"}}))
        self.breaks("has no schema", lambda d: path(d, "/metrics", "get")["responses"]["200"].pop("content"))
        self.breaks("Additional properties", lambda d: path(d, "/healthz", "get").update(sumary="x"))

    def test_schemas(self):
        schema = lambda d, n: d["components"]["schemas"][n]  # noqa: E731
        self.breaks("must be closed", lambda d: schema(d, "Login").pop("additionalProperties"))
        self.breaks("always present", lambda d: schema(d, "Login")["required"].remove("token"))
        self.breaks("is required and not a field", lambda d: schema(d, "Login")["required"].append("tokn"))
        self.breaks("without a limit", lambda d: schema(d, "LoginRequest")["properties"]["email"].pop("maxLength"))
        self.breaks("items and nextCursor", lambda d: (schema(d, "UserList")["properties"].pop("nextCursor"),
                                                       schema(d, "UserList")["required"].remove("nextCursor")))
        self.breaks("is not used", lambda d: d["components"]["schemas"].update(Ghost={"type": "null"}))
        self.breaks("does not exist", lambda d: d["components"]["schemas"].pop("Health"))
        self.breaks("schema Health", lambda d: schema(d, "Health").update(type="objct"))

    def test_examples(self):
        self.breaks("example", lambda d: d["paths"]["/healthz"]["get"]["responses"]["200"]["content"][
            "application/json"].update(example={"status": "bad"}))
        self.breaks("default of limit", lambda d: d["components"]["parameters"]["Limit"]["schema"].update(default=0))

    def test_events(self):
        def event(journal):
            return journal["events"][0]
        for words, change in [
                ("stands twice", lambda j: j["events"].append(event(j))),
                ("no such journal", lambda j: event(j).update(journal="moon")),
                ("no such kind", lambda j: event(j).update(resource="moon")),
                ("must be closed", lambda j: event(j)["details"].pop("additionalProperties")),
                ("always present", lambda j: event(j)["details"].update(required=[])),
                ("no free text", lambda j: event(j)["details"].update(
                    required=["name"], properties={"name": {"type": "string"}})),
                ("has action, journal", lambda j: event(j).pop("summary"))]:
            self.assertIn(words, self.faults(None, change))

    def test_duplicate_keys(self):
        with self.assertRaises(tool.yaml.YAMLError):
            tool.yaml.load("a: 1\na: 2\n", tool.Strict)


class Routes(unittest.TestCase):
    contract = tool.Contract(OPENAPI)

    def all(self):
        return [f"{method.upper()} {path}" for method, path, _, _ in self.contract.operations()]

    def test_agreement(self):
        self.assertEqual(list(tool.compare_routes(self.contract, self.all())), [])
        renamed = [line.replace("{prompt}", "{id}") for line in self.all() if not line.startswith("HEAD")]
        renamed.append("GET /api/v1/runtime/prompts/{name...}")
        self.assertEqual(list(tool.compare_routes(self.contract, renamed)), [])

    def test_both_ways(self):
        self.assertIn("routed and not in the contract",
                      "\n".join(tool.compare_routes(self.contract, self.all() + ["GET /api/v1/secrets"])))
        self.assertIn("in the contract and not routed",
                      "\n".join(tool.compare_routes(self.contract, self.all()[1:])))
        self.assertIn("not a route", "\n".join(tool.compare_routes(self.contract, self.all() + ["hello"])))


class Answers(unittest.TestCase):
    contract = tool.Contract(OPENAPI)

    def record(self, **change):
        record = {"method": "GET", "path": "/healthz", "status": 200, "contentType": "application/json",
                  "body": {"status": "ok"}}
        record.update(change)
        return record

    def faults(self, **change):
        return "\n".join(tool.check_answer(self.contract, self.record(**change))[0])

    def test_good(self):
        self.assertEqual(self.faults(), "")
        self.assertEqual(self.faults(path="/nothing", status=404, contentType="application/problem+json",
                                     body=problem(404)), "")
        self.assertEqual(self.faults(method="POST", path="/api/v1/auth/logout", status=204, contentType="",
                                     body=None), "")

    def test_bad(self):
        self.assertIn("was expected", self.faults(body={"status": "fine"}))
        self.assertIn("Additional", self.faults(body={"status": "ok", "extra": 1}))
        self.assertIn("required", self.faults(body={}))
        self.assertIn("the contract has", self.faults(contentType="text/html"))
        self.assertIn("does not answer 201", self.faults(status=201))
        self.assertIn("answered 500", self.faults(status=500, body=problem(500, "internal")))
        self.assertIn("no operation", self.faults(path="/nothing"))
        self.assertIn("should not", self.faults(method="POST", path="/api/v1/auth/logout", status=204))
        self.assertIn("another status", self.faults(path="/api/v1/projects", status=401, body=problem(403),
                                                    contentType="application/problem+json"))
        self.assertIn("is a problem document", self.faults(path="/nothing", status=404, body=problem(404)))
        self.assertIn("not one of", self.faults(path="/api/v1/projects", status=401, body=problem(401, "oops"),
                                                contentType="application/problem+json"))
        self.assertIn("the contract refuses", self.faults(
            method="POST", path="/api/v1/auth/login", request={"email": "a@b", "pasword": "x"},
            body={"token": "x" * 40, "expiresAt": "2026-11-22T08:00:00.000000Z", "csrfToken": "y" * 20,
                  "user": {"id": ID, "email": "a@b.c", "displayName": "A"}}))

    def test_paths(self):
        name = lambda path: self.contract.match(path)[0]  # noqa: E731
        self.assertEqual(name("/api/v1/prompts/batch"), "/api/v1/prompts/batch")
        self.assertEqual(name("/api/v1/prompts/art_1"), "/api/v1/prompts/{prompt}")
        self.assertEqual(name("/api/v1/runtime/prompts/a/b/c"), "/api/v1/runtime/prompts/{name}")
        self.assertEqual(name("/api/v1/runtime/prompts/a%2Fb/render"), "/api/v1/runtime/prompts/{name}/render")
        self.assertIsNone(name("/api/v1/prompts/a/b/c/d"))

    def test_the_whole_transcript(self):
        said = []
        lines = [json.dumps(self.record())]
        self.assertTrue(tool.check(self.contract, lines, False, said.append))
        self.assertIn("never seen", "\n".join(said))
        self.assertFalse(tool.check(self.contract, lines, True, said.append), "other operations never succeeded")
        self.assertFalse(tool.check(self.contract, [], False, said.append), "nothing was recorded")
        self.assertFalse(tool.check(self.contract, [json.dumps(self.record(status=418))], False, said.append))


class Events(unittest.TestCase):
    DETAILS = {"user": ID, "organisationAdmin": False, "person": "sha256:" + "2" * 64,
               "passwordDigest": "sha256:" + "3" * 64}

    def entry(self, **change):
        entry = {"journal": "org", "seq": 1, "time": "2026-11-21T08:00:00.000000Z", "actor": ID,
                 "action": "user.created", "resource": f"user:{ID}",
                 "details": self.DETAILS,
                 "previousHash": "sha256:" + "0" * 64, "hash": "sha256:" + "1" * 64}
        entry.update(change)
        return entry

    def faults(self, **change):
        return "\n".join(tool.check_events(EVENTS, [json.dumps(self.entry(**change))]))

    def test_good(self):
        self.assertEqual(self.faults(), "")
        self.assertEqual(list(tool.check_events(EVENTS, ['{"checkpoint":{}}', ""])), [])

    def test_bad(self):
        self.assertIn("is not in api/events.yaml", self.faults(action="user.vanished"))
        self.assertIn("other journal", self.faults(journal="prj_01kafx3h9q4m8s2t5v7w9x0yza"))
        self.assertIn("its resource", self.faults(resource="team:x"))
        self.assertIn("required", self.faults(details={"user": ID}))
        self.assertIn("Additional", self.faults(details={**self.DETAILS, "email": "a@b.c"}))
        self.assertIn("does not match", self.faults(actor="ann"))
        self.assertIn("does not match", self.faults(hash="1" * 64))


if __name__ == "__main__":
    unittest.main()
