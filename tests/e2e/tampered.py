#!/usr/bin/env python3
"""What somebody with the database file can do: each edit is found, named, and not served."""
import base64
import hashlib
import http.client
import json
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import time
import types

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from driver import Client, Server, binary, encoded, people, scratch  # noqa: E402

PROJECT = "acme"


def told(path):
    """A data directory with two prompts that are live in production, approved by a reviewer. What its people know."""
    server = Server(path)
    server.wait_for_writes()
    tokens = people(server.port, PROJECT, {"ann": "editor", "bob": "reviewer"})
    ann, bob, admin = (Client(server.port, tokens[who]) for who in ("ann", "bob", "admin"))
    known = types.SimpleNamespace(ann=tokens["ann"], prompts={})
    for name in ("first", "second"):
        prompt = ann.must(201, "POST", "/api/v1/prompts",
                          {"project": PROJECT, "name": name, "type": "text", "content": f"good text of the {name}"})
        review = ann.must(201, "POST", f"/api/v1/prompts/{prompt['id']}/versions/1/submit", {"comment": "please"})
        bob.must(200, "POST", f"/api/v1/reviews/{review['id']}/approve", {"comment": "I approve"})
        bob.must(201, "POST", f"/api/v1/reviews/{review['id']}/deploy", {})
        ann.must(201, "POST", f"/api/v1/prompts/{prompt['id']}/versions/1/deploy", {"environment": "development"})
        known.prompts[name] = prompt["id"]
    known.key = admin.must(201, "POST", f"/api/v1/projects/{PROJECT}/api-keys",
                     {"name": "app", "scopes": ["runtime:read", "audit:read"]})["key"]
    if server.stop() != 0:
        raise AssertionError("the server did not stop well")
    return known


def verified(path, *more):
    done = subprocess.run([binary(), "verify", str(path), "--json", *more], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise AssertionError(f"verify: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def edited(origin, path, edit):
    """A copy of `origin` after edit(database), the triggers of which were taken away and put back."""
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(origin, path)
    database = sqlite3.connect(path / "imprimatur.db")
    database.execute("PRAGMA foreign_keys = OFF")
    triggers = database.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        database.execute(f"DROP TRIGGER {name}")
    edit(database)
    for _, sql in triggers:
        database.execute(sql)
    database.commit()
    database.close()
    return path


def check(what, condition, seen):
    if not condition:
        raise AssertionError(f"{what}: {seen}")
    print(f"ok: {what}")


class Serving:
    """A server on tampered data, until the check of its start is over."""

    def __init__(self, path, key):
        self.server = Server(path)
        self.client = Client(self.server.port, key)
        until = time.monotonic() + 30
        while self.writes() == "verifying" and time.monotonic() < until:
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.kill()

    def writes(self):
        return self.client.call("GET", "/readyz")[1]["writes"]

    def fetch(self, name, environment="production"):
        return self.client.call("GET", f"/api/v1/runtime/prompts/{encoded(name)}?environment={environment}")[0]

    def breaks_down(self, what, token, path):
        status, answer = Client(self.server.port, token).call("GET", path)
        check(f"{what}: {path} answers 503 and says why",
              status == 503 and "imprimatur verify" in str(answer), (status, answer))


def forge(database):
    """The whole journal anew, with another approver and another key (Ed25519 of openssl)."""
    sha = lambda data: hashlib.sha256(data).digest()  # noqa: E731
    private = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519"], capture_output=True, check=True).stdout
    public = subprocess.run(["openssl", "pkey", "-pubout", "-outform", "DER"], input=private, capture_output=True,
                            check=True).stdout[-32:]

    def signed(message):
        with scratch("forge") as place:
            key, text = pathlib.Path(place) / "key", pathlib.Path(place) / "text"
            key.write_bytes(private)
            text.write_bytes(message)
            return subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", text],
                                  capture_output=True, check=True).stdout

    def stamp(micros):
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(micros // 10**6)) + f".{micros % 10**6:06d}Z"

    quoted = lambda text: json.dumps(text, ensure_ascii=False)  # noqa: E731
    (bob,), (admin,) = (database.execute("SELECT id FROM users WHERE email = ?", (email,)).fetchone()
                        for email in ("bob@example.com", "admin@localhost"))
    database.execute("UPDATE verdicts SET given_by = ?", (admin,))
    for (journal,) in database.execute("SELECT journal FROM heads WHERE size > 0").fetchall():
        previous, roots, size = "0" * 64, [], 0
        rows = database.execute("SELECT seq, time, action, actor, resource, details FROM entries WHERE journal = ? "
                                "ORDER BY seq", (journal,)).fetchall()
        for seq, at, action, actor, resource, details in rows:
            if action == "organisation.created":
                details = '{"signingKey":"sha256:' + sha(public).hex() + '"}'
            if action == "verdict.given":
                details, actor = details.replace(bob, admin), admin
            canonical = (f'{{"action":{quoted(action)},"actor":{quoted(actor)},"details":{details},"journal":'
                         f'{quoted(journal)},"previousHash":"sha256:{previous}","resource":{quoted(resource)},'
                         f'"seq":{seq},"time":"{stamp(at)}"}}')
            own = sha(b"imprimatur-entry-v1\n" + canonical.encode()).hex()
            database.execute("UPDATE entries SET details = ?, actor = ?, previous = ?, hash = ? WHERE journal = ? AND "
                             "seq = ?", (details, actor, previous, own, journal, seq))
            previous, node, left = own, sha(b"\0" + bytes.fromhex(own)), size
            while left & 1:
                node, left = sha(b"\1" + roots.pop() + node), left >> 1
            roots.append(node)
            size += 1
        root = roots[-1]
        for one in roots[-2::-1]:
            root = sha(b"\1" + one + root)
        message = f"imprimatur-head-v1\n{journal}\n{size}\n{root.hex()}\n{previous}\n".encode()
        database.execute("UPDATE heads SET last_hash = ?, frontier = ?, signature = ?, public_key = ? WHERE journal = ?",
                         (previous, f"{size}:" + ",".join(one.hex() for one in roots),
                          base64.b64encode(signed(message)).decode(), base64.b64encode(public).decode(), journal))


def a_forged_journal(origin, work, key):
    (checkpoint := work / "checkpoint.json").write_text(json.dumps(verified(origin)), encoding="utf-8")
    own = verified(origin)["signingKeys"][0]
    path = edited(origin, work / "forged", forge)
    alone = edited(origin, work / "alone", forge)
    (alone / "secret").unlink()
    seen = verified(alone)
    check("a journal written anew is whole in itself, and verify says that it compared the key with nothing",
          seen["ok"] and seen["keyComparedWith"] == [], seen)
    for more in (["--key", own], ["--checkpoint", str(checkpoint)]):
        seen = verified(alone, *more)
        check(f"{more[0]} finds it", not seen["ok"], seen)
    seen = verified(path)
    check("the secret file finds it", not seen["ok"] and seen["faults"][0]["seq"] == 1, seen)
    with Serving(path, key) as serving:
        check("a server with the right key refuses to write there", serving.writes() == "refused", serving.writes())


def what_a_fault_names(origin, work, key):
    evil = "UPDATE contents SET content = replace(content, 'good text of the first', 'evil text')"
    with Serving(edited(origin, work / "text", lambda database: database.execute(evil)), key) as serving:
        check("an edited text is not served", serving.fetch("first") == 404, serving.fetch("first"))
        check("the others are", serving.fetch("second") == 200, serving.fetch("second"))
        check("writes are refused", serving.writes() == "refused", serving.writes())
    swap = "UPDATE api_keys SET scopes = '[\"runtime:read\",\"prompts:write\"]'"
    with Serving(edited(origin, work / "key", lambda database: database.execute(swap)), key) as serving:
        check("a key that was edited serves nobody", serving.fetch("second") == 401, serving.fetch("second"))

    with Serving(edited(origin, work / "scopes", lambda database: database.execute("UPDATE api_keys SET scopes = 'zz'")),
                 key) as serving:
        check("nor does one that cannot be read, and the server starts", serving.fetch("second") == 401,
              serving.fetch("second"))

    def view(database):
        database.execute("PRAGMA legacy_alter_table = ON")
        database.execute("ALTER TABLE contents RENAME TO real_contents")
        database.execute("CREATE VIEW contents AS SELECT project, artifact, number, content FROM real_contents")

    shutil.copytree(origin, path := work / "view")
    database = sqlite3.connect(path / "imprimatur.db")
    view(database)
    database.commit()
    database.close()
    check("a view in the place of a table is found", not verified(path)["ok"], verified(path))
    with Serving(path, key) as serving:
        check("what it answers is not served, nor is a key believed", serving.fetch("second") == 401, serving.fetch("second"))


def a_damaged_journal(origin, work, key):
    def cut(database):
        database.execute("DELETE FROM entries WHERE journal <> 'org' AND seq > 3")

    def frontier(database):
        database.execute("UPDATE heads SET frontier = 'broken'")

    def gap(database):
        database.execute("DELETE FROM entries WHERE journal <> 'org' AND seq = 7")

    def exported(client):
        """An export is under way when the gap shows: it ends without its end."""
        try:
            return client.call("GET", f"/api/v1/audit-logs/export?project={PROJECT}")[0]
        except (http.client.HTTPException, OSError):
            return "broken off"

    proof = f"/api/v1/audit-logs/proof?project={PROJECT}&seq=5"
    for edit, paths in ((cut, (proof,)), (gap, (proof,)), (frontier, (f"/api/v1/audit-logs/checkpoint?project={PROJECT}", proof))):
        with Serving(edited(origin, work / edit.__name__, edit), key) as serving:
            for path in paths:
                serving.breaks_down(edit.__name__, key, path)
            check(f"{edit.__name__}: no whole export", exported(Client(serving.server.port, key)) != 200, edit)
            check("the server lives on", serving.fetch("second") == 200, serving.fetch("second"))


def a_forged_index(origin, work, key):
    """An index that leads to other rows than its table holds: its tree is given to a table for a moment."""
    shutil.copytree(origin, path := work / "index")

    def change(*statements):
        database = sqlite3.connect(path / "imprimatur.db")
        database.execute("PRAGMA writable_schema = ON")
        for statement in statements:
            database.execute(statement)
        database.commit()
        database.close()

    change("INSERT INTO sqlite_schema SELECT 'table', 'forged', 'forged', rootpage, 'CREATE TABLE forged (project TEXT, "
           "artifact TEXT, environment TEXT, number INTEGER, id TEXT, PRIMARY KEY (project, artifact, environment, "
           "number, id)) WITHOUT ROWID' FROM sqlite_schema WHERE name = 'releases_by_number'")
    change("UPDATE forged SET id = (SELECT other.id FROM forged other WHERE other.environment = forged.environment AND "
           "other.artifact <> forged.artifact)", "DELETE FROM sqlite_schema WHERE name = 'forged'")
    seen = verified(path)
    check("an index that was edited alone is found",
          not seen["ok"] and "database file is damaged or altered" in str(seen["faults"]), seen)
    with Serving(path, key) as serving:
        check("nothing that it leads to is served", serving.fetch("second") == 401, serving.fetch("second"))
        check("writes are refused", serving.writes() == "refused", serving.writes())


def rows_that_fit_nowhere(origin, work, key):
    """The server starts, and serves what is not touched by them."""
    first = "name = 'first'"
    for number, (edit, served) in enumerate((
            (f"UPDATE artifacts SET name = 'elsewhere' WHERE {first}", 200),
            ("UPDATE environments SET id = 'env_other' WHERE name = 'staging'", 200),
            ("UPDATE environments SET project = 'prj_other' WHERE name = 'staging'", 200),
            ("UPDATE environments SET id = 'env_other' WHERE name = 'production'", 404),
            ("UPDATE projects SET id = 'prj_other'", None))):
        with Serving(edited(origin, work / f"fit{number}", lambda database: database.execute(edit)), key) as serving:
            check(f"{edit}: writes are refused", serving.writes() == "refused", serving.writes())
            if served is not None:
                check("the other prompt", serving.fetch("second") == served, serving.fetch("second"))
            if number == 0:
                check("is not served under either name", serving.fetch("first") == serving.fetch("elsewhere") == 404, edit)


def unreadable_rows(origin, work, known):
    """What this program cannot have written is a 503 where it is asked for, and nowhere else."""
    prompt = f"/api/v1/prompts/{known.prompts['first']}"
    of_first = f"artifact = '{known.prompts['first']}'"
    version, scans, releases = (f"{prompt}/{rest}" for rest in ("versions/1", "versions/1/scans", "releases"))
    versions = (version, f"{prompt}/versions")
    wrong_numbers = '{"requirements":[],"x":9007199254740993}'
    for number, (table, column, value, paths) in enumerate((
            ("contents", "content", "zz", (*versions, f"{prompt}/diff?from=1&to=1")),
            ("contents", "content", "{}", versions),
            ("scans", "report", "zz", (*versions, scans)),
            ("scans", "report", wrong_numbers, (*versions, scans)),
            ("releases", "gate", "zz", (releases,)),
            ("releases", "gate", "{}", (releases,)),
            ("releases", "gate", wrong_numbers, (releases,)),
            ("releases", "version", 2**60, (releases,)),
            ("versions", "base_version", 2**60, versions))):
        edit = f"UPDATE {table} SET {column} = '{value}' WHERE {of_first}"
        with Serving(edited(origin, work / f"row{number}", lambda database: database.execute(edit)), known.key) as serving:
            for path in paths:
                serving.breaks_down(edit, known.ann, path)
            check("the other prompt is served", serving.fetch("second") == 200, serving.fetch("second"))
    edit = ("UPDATE protections SET rule = 'zz' WHERE environment IN (SELECT id FROM environments WHERE "
            "name = 'production')")
    with Serving(edited(origin, work / "rule", lambda database: database.execute(edit)), known.key) as serving:
        check("with a broken protection writes are refused", serving.writes() == "refused", serving.writes())
        check("its environment is not served", serving.fetch("second") == 404, serving.fetch("second"))
        check("another one is", serving.fetch("second", "development") == 200, serving.fetch("second", "development"))
        serving.breaks_down(edit, known.ann, f"/api/v1/projects/{PROJECT}/environments")


def main():
    with scratch("tampered") as place:
        work = pathlib.Path(place)
        known = told(work / "origin")
        key = known.key
        check("what was not touched verifies", verified(work / "origin")["ok"], verified(work / "origin"))
        a_forged_journal(work / "origin", work, key)
        what_a_fault_names(work / "origin", work, key)
        a_damaged_journal(work / "origin", work, key)
        a_forged_index(work / "origin", work, key)
        rows_that_fit_nowhere(work / "origin", work, key)
        unreadable_rows(work / "origin", work, known)


if __name__ == "__main__":
    main()
