#!/usr/bin/env python3
"""Holds the contract (api/openapi.yaml, api/events.yaml) to its own rules, and a server to the contract.

  contract.py lint                      the two files by themselves
  contract.py routes [FILE]             "METHOD /path" lines (standard input when left out) against the paths, both ways
  contract.py check [--all] TRANSCRIPT  recorded answers against the contract; --all: every operation must have succeeded once
  contract.py events FILE               journal entries, one JSON a line (an export), against api/events.yaml

A transcript is one JSON a line: {"method","path","status","contentType","body"} and, where there was one, "request".
"""

import argparse
import functools
import json
import pathlib
import re
import sys

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
OPENAPI = ROOT / "api/openapi.yaml"
EVENTS = ROOT / "api/events.yaml"

METHODS = ("get", "head", "post", "put", "patch", "delete")
PROBLEMS = {"400": "Invalid", "401": "Unauthenticated", "403": "Forbidden", "404": "NotFound", "409": "Conflict",
            "413": "TooLarge", "415": "Unsupported", "422": "Unprocessable", "429": "RateLimited",
            "503": "Unavailable"}
# Beside the permissions of the domain, which the schema `Permission` lists.
PERMISSIONS = {"anyone", "signed_in", "organisation_admin"}
SCOPES = {"none", "any"}
# Writes that a repetition cannot double, or whose answer must not be kept.
NOT_IDEMPOTENT = {"login", "logout", "changeOwnPassword", "resetPassword", "renderPrompt"}
BODILESS = {"204", "304"}

# The part of OpenAPI 3.1 that the contract uses, closed, so that a misspelt key is found.
STRUCTURE = {
    "type": "object", "additionalProperties": False,
    "required": ["openapi", "info", "servers", "security", "tags", "paths", "components"],
    "properties": {
        "openapi": {"const": "3.1.0"},
        "info": {"type": "object", "required": ["title", "version"]},
        "x-rate-limits": {"type": "string"},
        "servers": {"type": "array"},
        "security": {"type": "array"},
        "tags": {"type": "array", "items": {"type": "object", "required": ["name", "description"]}},
        "paths": {"type": "object", "propertyNames": {"pattern": "^/"},
                  "additionalProperties": {"$ref": "#/$defs/item"}},
        "components": {
            "type": "object", "additionalProperties": False,
            "properties": {
                "securitySchemes": {"type": "object"},
                "headers": {"type": "object", "additionalProperties": {"$ref": "#/$defs/header"}},
                "parameters": {"type": "object", "additionalProperties": {"$ref": "#/$defs/parameter"}},
                "requestBodies": {"type": "object", "additionalProperties": {"$ref": "#/$defs/body"}},
                "responses": {"type": "object", "additionalProperties": {"$ref": "#/$defs/response"}},
                "schemas": {"type": "object"}}}},
    "$defs": {
        "ref": {"type": "object", "additionalProperties": False, "required": ["$ref"],
                "properties": {"$ref": {"type": "string", "pattern": "^#/components/"}}},
        "item": {"type": "object", "additionalProperties": False, "properties": {
            "parameters": {"type": "array", "items": {"$ref": "#/$defs/parameterOrRef"}},
            **{method: {"$ref": "#/$defs/operation"} for method in METHODS}}},
        "operation": {
            "type": "object", "additionalProperties": False,
            "required": ["operationId", "tags", "summary", "x-permission", "x-scope", "responses"],
            "properties": {
                "operationId": {"type": "string", "pattern": "^[a-z][A-Za-z]+$"},
                "tags": {"type": "array", "minItems": 1}, "summary": {"type": "string", "minLength": 1},
                "description": {"type": "string"}, "x-permission": {"type": "string"}, "x-scope": {"type": "string"},
                "security": {"type": "array"},
                "parameters": {"type": "array", "items": {"$ref": "#/$defs/parameterOrRef"}},
                "requestBody": {"anyOf": [{"$ref": "#/$defs/ref"}, {"$ref": "#/$defs/body"}]},
                "responses": {"type": "object", "minProperties": 1, "propertyNames": {"pattern": "^[2-5][0-9][0-9]$"},
                              "additionalProperties": {"anyOf": [{"$ref": "#/$defs/ref"},
                                                                 {"$ref": "#/$defs/response"}]}}}},
        "parameterOrRef": {"anyOf": [{"$ref": "#/$defs/ref"}, {"$ref": "#/$defs/parameter"}]},
        "parameter": {"type": "object", "additionalProperties": False, "required": ["name", "in", "schema"],
                      "properties": {"name": {"type": "string"}, "in": {"enum": ["path", "query", "header"]},
                                     "required": {"type": "boolean"}, "description": {"type": "string"},
                                     "schema": {"type": "object"}}},
        "header": {"type": "object", "additionalProperties": False, "required": ["schema"],
                   "properties": {"required": {"type": "boolean"}, "description": {"type": "string"},
                                  "schema": {"type": "object"}}},
        "media": {"type": "object", "additionalProperties": False, "required": ["schema"],
                  "properties": {"schema": {"type": "object"}, "example": {}, "examples": {"type": "object"}}},
        "body": {"type": "object", "additionalProperties": False, "required": ["content", "required"],
                 "properties": {"required": {"type": "boolean"}, "description": {"type": "string"},
                                "content": {"type": "object", "additionalProperties": {"$ref": "#/$defs/media"}}}},
        "response": {"type": "object", "additionalProperties": False, "required": ["description"],
                     "properties": {"description": {"type": "string"},
                                    "headers": {"type": "object", "additionalProperties": {
                                        "anyOf": [{"$ref": "#/$defs/ref"}, {"$ref": "#/$defs/header"}]}},
                                    "content": {"type": "object",
                                                "additionalProperties": {"$ref": "#/$defs/media"}}}},
    },
}


class Strict(yaml.SafeLoader):
    """Refuses a key that stands twice; leaves times as text."""


def _mapping(loader, node, deep=False):
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", node.start_mark)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
Strict.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def load(path):
    return yaml.load(pathlib.Path(path).read_text(encoding="utf-8"), Strict)


def first_words(error):
    """One line for a person: where in the value, and what is wrong."""
    while error.context:  # the branch of anyOf that came furthest says most
        error = max(error.context, key=lambda inner: len(inner.absolute_path))
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    return f"{where or '.'}: {error.message[:300]}"


@functools.lru_cache(maxsize=None)
def unsound(schema):
    """Why this JSON text is no JSON Schema; empty when it is one."""
    try:
        jsonschema.Draft202012Validator.check_schema(json.loads(schema))
    except jsonschema.SchemaError as error:
        return error.message
    return ""


class Contract:
    def __init__(self, document):
        self.document = document
        self.validators = {}
        self.templates = []
        for path, item in document["paths"].items():
            pattern = re.sub(r"\\\{[^/}]+\\\}", "[^/]+", re.escape(path))
            # A literal segment wins over a parameter.
            self.templates.append((path.count("{"), re.compile(pattern + r"\Z"), path, item))
        self.templates.sort(key=lambda entry: entry[0])

    def resolve(self, value):
        while isinstance(value, dict) and "$ref" in value:
            for_document = self.document
            for part in value["$ref"][2:].split("/"):
                for_document = for_document[part]
            value = for_document
        return value

    def operations(self):
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method, path, item[method], item.get("parameters", []) + item[method].get("parameters", [])

    def errors(self, schema, value):
        key = json.dumps(schema, sort_keys=True)
        if key not in self.validators:
            whole = {**schema, "components": {"schemas": self.document["components"]["schemas"]}}
            self.validators[key] = jsonschema.Draft202012Validator(whole)
        found = jsonschema.exceptions.best_match(self.validators[key].iter_errors(value))
        return [first_words(found)] if found else []

    def match(self, path):
        """The path of the contract that a request path (encoded, without query) is."""
        for _, pattern, name, item in self.templates:
            if pattern.match(path):
                return name, item
        # A GET of the runtime also takes raw slashes.
        prefix = "/api/v1/runtime/prompts/"
        if path.startswith(prefix) and len(path) > len(prefix):
            name = prefix + "{name}"
            return name, self.document["paths"].get(name)
        return None, None


def subschemas(schema, where):
    if not isinstance(schema, dict):
        return
    yield schema, where
    for name, inner in schema.get("properties", {}).items():
        yield from subschemas(inner, f"{where}.{name}")
    for key in ("items", "additionalProperties", "propertyNames"):
        if isinstance(schema.get(key), dict):
            yield from subschemas(schema[key], f"{where}/{key}")
    for key in ("anyOf", "oneOf", "allOf"):
        for i, inner in enumerate(schema.get(key, [])):
            yield from subschemas(inner, f"{where}/{key}[{i}]")


def reachable(contract, schema, where, seen):
    """A schema with all it refers to, each named schema once."""
    for inner, at in subschemas(schema, where):
        yield inner, at
        name = inner.get("$ref", "")
        if name and name not in seen:
            seen.add(name)
            yield from reachable(contract, contract.resolve(inner), name.rsplit("/", 1)[-1], seen)


def bounded(schema):
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if "enum" in schema or "const" in schema:
        return True
    if "string" in types and "maxLength" not in schema and not closed_pattern(schema.get("pattern", "")):
        return False
    if "array" in types and "maxItems" not in schema:
        return False
    return True


def closed_pattern(pattern):
    return pattern.startswith("^") and pattern.endswith("$") and not re.search(r"(?<!\\)[*+]|,\}", pattern)


def lint_structure(contract):
    document = contract.document
    for error in jsonschema.Draft202012Validator(STRUCTURE).iter_errors(document):
        yield first_words(error)
    for name, schema in document["components"]["schemas"].items():
        if unsound(json.dumps(schema)):
            yield f"schema {name}: {unsound(json.dumps(schema))}"
    text = json.dumps(document)
    for kind, entries in document["components"].items():
        for name in entries:
            used = f'"{name}": []' if kind == "securitySchemes" else f'"#/components/{kind}/{name}"'
            if used not in text:
                yield f"components/{kind}/{name} is not used"
    for ref in sorted(set(re.findall(r'"\$ref": "([^"]+)"', text))):
        try:
            contract.resolve({"$ref": ref})
        except (KeyError, TypeError):
            yield f"{ref} does not exist"


def lint_schemas(contract):
    schemas = contract.document["components"]["schemas"]
    for name, schema in schemas.items():
        for inner, where in subschemas(schema, name):
            if "properties" in inner and "type" in inner and inner.get("additionalProperties") is not False:
                yield f"{where}: an object with fields must be closed"
            for field in inner.get("required", []):
                if "properties" in inner and "type" in inner and field not in inner["properties"]:
                    yield f"{where}: {field} is required and not a field"
    seen_in, seen_out = set(), set()
    for method, path, operation, _ in contract.operations():
        body = contract.resolve(operation.get("requestBody", {}))
        for media in body.get("content", {}).values():
            for inner, where in reachable(contract, media["schema"], operation["operationId"], seen_in):
                if not bounded(inner):
                    yield f"{where}: in a request without a limit"
        for answer in operation["responses"].values():
            for media in contract.resolve(answer).get("content", {}).values():
                for inner, where in reachable(contract, media["schema"], operation["operationId"], seen_out):
                    if "type" in inner and set(inner.get("properties", {})) != set(inner.get("required", [])):
                        if "properties" in inner:
                            yield f"{where}: in an answer every field is always present"


def lint_examples(contract):
    def media_of(where, media):
        found = [("example", media["example"])] if "example" in media else []
        found += [(name, example["value"]) for name, example in media.get("examples", {}).items()]
        for name, value in found:
            for error in contract.errors(media["schema"], value):
                yield f"{where}: {name}: {error}"

    for method, path, operation, parameters in contract.operations():
        where = operation["operationId"]
        for media in contract.resolve(operation.get("requestBody", {})).get("content", {}).values():
            yield from media_of(where, media)
        for status, answer in operation["responses"].items():
            for media in contract.resolve(answer).get("content", {}).values():
                yield from media_of(f"{where} {status}", media)
        for parameter in map(contract.resolve, parameters):
            schema = contract.resolve(parameter["schema"])
            if "default" in schema:
                for error in contract.errors(schema, schema["default"]):
                    yield f"{where}: default of {parameter['name']}: {error}"
            if not bounded(schema):
                yield f"{where}: the parameter {parameter['name']} has no limit"


def lint_operations(contract):
    document = contract.document
    permissions = PERMISSIONS | set(document["components"]["schemas"]["Permission"]["enum"])
    scopes = SCOPES | set(document["components"]["schemas"]["Scope"]["enum"])
    tags = {tag["name"] for tag in document["tags"]}
    ids = [operation["operationId"] for _, _, operation, _ in contract.operations()]
    for name in sorted({name for name in ids if ids.count(name) > 1}):
        yield f"{name}: two operations have this operationId"
    for method, path, operation, parameters in contract.operations():
        name = operation["operationId"]
        parameters = [contract.resolve(parameter) for parameter in parameters]
        in_path = {parameter["name"] for parameter in parameters if parameter["in"] == "path"}
        if in_path != set(re.findall(r"\{([^}]+)\}", path)):
            yield f"{name}: the parameters of the path are not those declared"
        if any(parameter["in"] == "path" and not parameter.get("required") for parameter in parameters):
            yield f"{name}: a parameter of the path is always required"
        if operation["x-permission"] not in permissions:
            yield f"{name}: nobody has the permission {operation['x-permission']}"
        if operation["x-scope"] not in scopes:
            yield f"{name}: no key has the scope {operation['x-scope']}"
        if not set(operation["tags"]) <= tags:
            yield f"{name}: a tag is not declared"
        yield from lint_writes(contract, method, operation, parameters)
        yield from lint_answers(contract, method, operation, parameters)


def lint_writes(contract, method, operation, parameters):
    name = operation["operationId"]
    if method in ("get", "head"):
        if "requestBody" in operation:
            yield f"{name}: a {method} has no body"
        return
    open_to_all = operation.get("security") == []
    if not open_to_all and operation.get("security") != [{"bearer": []}, {"session": [], "csrf": []}]:
        yield f"{name}: a write with the session cookie needs the CSRF token"
    keyed = any(parameter["name"] == "Idempotency-Key" for parameter in parameters)
    if keyed == (method == "delete" or name in NOT_IDEMPOTENT):
        yield f"{name}: takes Idempotency-Key and should not, or the reverse"


def lint_answers(contract, method, operation, parameters):
    name, answers = operation["operationId"], operation["responses"]
    for status, answer in answers.items():
        if method != "head" and status[0] in "45":
            if answer != {"$ref": f"#/components/responses/{PROBLEMS.get(status)}"}:
                yield f"{name}: {status} is not the shared problem answer"
        if method != "head" and status not in BODILESS and "content" not in contract.resolve(answer):
            yield f"{name}: {status} has no schema"
    wanted = set()
    if operation.get("security") != []:
        wanted |= {"401", "503"}
    if "requestBody" in operation:
        wanted |= {"400", "413", "415"}
    if any(parameter["name"] == "Idempotency-Key" for parameter in parameters):
        wanted |= {"400", "409"}
    if any(parameter["in"] == "query" for parameter in parameters):
        wanted |= {"400"}
    for status in sorted(wanted - set(answers)):
        yield f"{name}: has no {status}"
    if not any(status[0] == "2" for status in answers):
        yield f"{name}: never succeeds"
    if name.startswith("list"):
        schema = contract.resolve(contract.resolve(answers["200"])["content"]["application/json"]["schema"])
        if set(schema.get("properties", {})) != {"items", "nextCursor"}:
            yield f"{name}: a list is items and nextCursor"
        if not {"limit", "cursor"} <= {parameter["name"] for parameter in parameters}:
            yield f"{name}: a list takes limit and cursor"


def event_schema(events, event):
    return {**event["details"], "$defs": events["$defs"]}


def lint_events(events):
    text = json.dumps(events)
    used = set(re.findall(r'"#/\$defs/(\w+)"', text))
    for name in sorted(set(events["$defs"]) - used):
        yield f"events: $defs/{name} is not used"
    for name in sorted(used - set(events["$defs"])):
        yield f"events: $defs/{name} does not exist"
    for name, schema in events["$defs"].items():
        if unsound(json.dumps(schema)):
            yield f"events: $defs/{name}: {unsound(json.dumps(schema))}"
    seen = set()
    for event in events["events"]:
        action = event.get("action", "?")
        if set(event) != {"action", "journal", "resource", "summary", "details"}:
            yield f"{action}: an event has action, journal, resource, summary and details"
            continue
        if action in seen:
            yield f"{action} stands twice"
        seen.add(action)
        if event["journal"] not in ("organisation", "project"):
            yield f"{action}: no such journal"
        if event["resource"] not in events["resources"]:
            yield f"{action}: no such kind of resource"
        if unsound(json.dumps(event["details"])):
            yield f"{action}: {unsound(json.dumps(event['details']))}"
        for inner, where in subschemas(event["details"], action):
            if inner.get("type") == "object":
                if inner.get("additionalProperties") is not False:
                    yield f"{where}: must be closed"
                if set(inner.get("properties", {})) != set(inner.get("required", [])):
                    yield f"{where}: every field is always present"
            if inner.get("type") == "string" and not inner.get("pattern"):
                yield f"{where}: the journal holds no free text"


def lint(contract, events):
    yield from lint_events(events)
    broken = list(lint_structure(contract))
    yield from broken
    if not broken:  # else nothing more can be asked of it
        yield from lint_schemas(contract)
        yield from lint_operations(contract)
        yield from lint_examples(contract)


def shape(path):
    return re.sub(r"\{[^}]*\}", "{}", path)


def compare_routes(contract, lines):
    """What the server routes and the contract does not know, and the reverse. HEAD is answered wherever GET is."""
    promised = {(method.upper(), shape(path)): path for method, path, _, _ in contract.operations()}
    routed = set()
    for line in lines:
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2 or not words[1].startswith("/"):
            yield f"not a route: {line.strip()[:200]}"
            continue
        routed.add((words[0].upper(), shape(words[1])))
        if words[0].upper() == "GET":
            routed.add(("HEAD", shape(words[1])))
        if (words[0].upper(), shape(words[1])) not in promised and words[0].upper() != "HEAD":
            yield f"{words[0]} {words[1]} is routed and not in the contract"
    for (method, form), path in sorted(promised.items()):
        if (method, form) not in routed:
            yield f"{method} {path} is in the contract and not routed"


def check_answer(contract, record):
    """The faults of one recorded answer, and the (operationId, status) it stands for."""
    method, status = record["method"].lower(), str(record["status"])
    path = record["path"].split("?")[0]
    media = (record.get("contentType") or "").split(";")[0].strip()
    name, item = contract.match(path)
    operation = (item or {}).get(method) or (item or {}).get("get" if method == "head" else method)
    problem = {"$ref": "#/components/schemas/Problem"}
    if status[0] == "5" and status != "503":
        return [f"answered {status}"], None
    if operation is None or (status == "400" and status not in operation["responses"]):
        if status not in ("400", "404", "405", "413", "414", "501"):
            return [f"answered {status} where the contract has no operation"], None
        if method == "head":
            return [], None
        return ([] if media == "application/problem+json" else ["a refusal is a problem document"]) + contract.errors(
            problem, record["body"]), None
    seen = (operation["operationId"], status)
    if status not in operation["responses"]:
        return [f"{seen[0]} does not answer {status}"], seen
    answer = contract.resolve(operation["responses"][status])
    content = answer.get("content")
    if method == "head" or content is None:
        return ([] if record["body"] in (None, "") else ["has a body and should not"]), seen
    if media not in content:
        return [f"is {media or 'nothing'}; the contract has {', '.join(content)}"], seen
    faults = contract.errors(content[media]["schema"], record["body"])
    if status[0] in "45" and record["body"].get("status") != record["status"]:
        faults.append("the problem names another status")
    body = contract.resolve(operation.get("requestBody", {})).get("content", {}).get("application/json")
    if status[0] == "2" and record.get("request") is not None:
        if body is None:
            faults.append("took a body that the contract does not have")
        else:
            faults += [f"took a request the contract refuses: {fault}"
                       for fault in contract.errors(body["schema"], record["request"])]
    return faults, seen


def check(contract, lines, want_all, say):
    """True when every answer is as the contract says (and every operation succeeded once, when asked)."""
    seen, faults, count = set(), 0, 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        record = json.loads(line)
        count += 1
        found, answer = check_answer(contract, record)
        if answer:
            seen.add(answer)
        for fault in found:
            faults += 1
            say(f"line {number}: {record['method']} {record['path'][:200]} {record['status']}: {fault}")
    promised = [(operation["operationId"], status) for _, _, operation, _ in contract.operations()
                for status in operation["responses"]]
    never = [answer for answer in promised if answer not in seen]
    missing = sorted({name for name, _ in promised} - {name for name, status in seen if status[0] in "23"})
    say(f"{count} answers, {faults} faults; {len(promised) - len(never)} of {len(promised)} answers of the contract seen")
    if missing:
        say("never succeeded: " + ", ".join(missing))
    others = [f"{name} {status}" for name, status in never if status not in ("503", "413", "415")]
    if others:
        say("never seen: " + ", ".join(others))
    return faults == 0 and count > 0 and not (want_all and missing)


def check_events(events, lines):
    by_action = {event["action"]: event for event in events["events"]}
    entry_schema = jsonschema.Draft202012Validator({**events["entry"], "$defs": events["$defs"]})
    validators = {}
    for number, line in enumerate(lines, 1):
        entry = json.loads(line) if line.strip() else None
        if not isinstance(entry, dict) or "seq" not in entry:
            continue  # an empty line, or the checkpoint at the end of an export
        action = entry.get("action")
        where = f"line {number}: {action}"
        for error in entry_schema.iter_errors(entry):
            yield f"{where}: {first_words(error)}"
        if action not in by_action:
            yield f"{where}: is not in api/events.yaml"
            continue
        event = by_action[action]
        if (entry.get("journal") == "org") != (event["journal"] == "organisation"):
            yield f"{where}: belongs to the other journal"
        if entry.get("resource", "").split(":")[0] != event["resource"]:
            yield f"{where}: its resource is {entry.get('resource')}"
        if action not in validators:
            validators[action] = jsonschema.Draft202012Validator(event_schema(events, event))
        for error in validators[action].iter_errors(entry.get("details")):
            yield f"{where}: {first_words(error)}"


def report(faults):
    faults = list(faults)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("lint")
    routes = commands.add_parser("routes")
    routes.add_argument("file", nargs="?", type=argparse.FileType(encoding="utf-8"), default=sys.stdin)
    checked = commands.add_parser("check")
    checked.add_argument("--all", action="store_true")
    checked.add_argument("file", type=argparse.FileType(encoding="utf-8"))
    journal = commands.add_parser("events")
    journal.add_argument("file", type=argparse.FileType(encoding="utf-8"))
    options = parser.parse_args(arguments)
    if options.command == "events":
        return report(check_events(load(EVENTS), options.file))
    contract = Contract(load(OPENAPI))
    if options.command == "lint":
        return report(lint(contract, load(EVENTS)))
    if options.command == "routes":
        return report(compare_routes(contract, options.file))
    return 0 if check(contract, options.file, options.all, print) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
