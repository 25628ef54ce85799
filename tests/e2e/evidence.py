#!/usr/bin/env python3
"""The evidence of a release, checked with openssl by the very lines of docs/evidence.md, and everything else in the file
with nothing of this program; a witness that signs checkpoints with a key of its own; verify against both."""
import base64
import csv
import hashlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from driver import ROOT, Client, Server, binary, people, scratch  # noqa: E402

PROJECT = "shop"
DASH = "\u2014"


def sha(data):
    return hashlib.sha256(data).digest()


def digest(data):
    return "sha256:" + sha(data).hex()


def canonical(value):
    """RFC 8785 for what a statement holds here: no fractions, and names of members in ASCII."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def check(what, condition, seen=""):
    if not condition:
        raise AssertionError(f"{what}: {seen}")
    print(f"ok: {what}")


def shell_blocks():
    """The commands of docs/evidence.md below the heading about openssl, as one script."""
    page = (ROOT / "docs/evidence.md").read_text(encoding="utf-8")
    part = page.split("### Checking it with openssl alone", 1)[1].split("\n## ", 1)[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", part, re.S))


def openssl(*arguments, data=None, wanted=0):
    done = subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True, check=False)
    if done.returncode != wanted:
        raise AssertionError(f"openssl {arguments}: {done.returncode} {done.stderr.decode()}")
    return done.stdout


def holds(place, public, message, signature):
    """Whether the Ed25519 signature by the 32 bytes of `public` holds, as openssl sees it."""
    der, text, sig = place / "k.der", place / "m", place / "s"
    der.write_bytes(bytes.fromhex("302a300506032b6570032100") + public)
    text.write_bytes(message)
    sig.write_bytes(signature)
    done = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", der, "-rawin", "-in", text,
                           "-sigfile", sig], capture_output=True, check=False)
    return done.returncode == 0


class Witness:
    """C2SP tlog-cosignature, written from its text."""

    def __init__(self, place, name):
        self.place, self.name = place, name
        self.private = openssl("genpkey", "-algorithm", "ed25519")
        self.public = openssl("pkey", "-pubout", "-outform", "DER", data=self.private)[-32:]
        self.id = sha(f"{name}\n".encode() + b"\x04" + self.public)[:4]

    def verifier_key(self):
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([4]) + self.public).decode()}"

    def cosigned(self, note):
        body = note[:note.index("\n\n") + 1]
        at = int(time.time())
        key, text = self.place / "w.pem", self.place / "w.txt"
        key.write_bytes(self.private)
        text.write_bytes(f"cosignature/v1\ntime {at}\n{body}".encode())
        signature = openssl("pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", text)
        line = base64.b64encode(self.id + at.to_bytes(8, "big") + signature).decode()
        return note + f"{DASH} {self.name} {line}\n"


def root_by_path(leaf, index, size, path):
    """RFC 9162, section 2.1.3.2."""
    node, last, value = index, size - 1, leaf
    for sibling in path:
        check_bounds = last
        assert check_bounds != 0, "the path is too long"
        if node & 1 or node == last:
            value = sha(b"\x01" + sibling + value)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            value = sha(b"\x01" + value + sibling)
        node, last = node >> 1, last >> 1
    assert last == 0, "the path is too short"
    return value


def check_note(place, note, public, origin=None):
    """(size, root) of a checkpoint that the key has signed."""
    text, signatures = note[:note.index("\n\n") + 1], note[note.index("\n\n") + 2:].splitlines()
    name, size, root = text.splitlines()
    assert origin is None or name == origin
    dash, signer, line = signatures[0].split(" ")
    raw = base64.b64decode(line)
    assert dash == DASH and signer == name and raw[:4] == sha(f"{name}\n".encode() + b"\x01" + public)[:4]
    assert holds(place, public, text.encode(), raw[4:]), "the note's signature"
    return int(size), base64.b64decode(root)


def check_words(words, entry):
    spoken = f"imprimatur-commitment-v1\n{words['salt']}\n{words['text']}".encode()
    assert digest(spoken) == words["commitment"], words
    assert words["commitment"] in json.dumps(entry["details"]), "no entry has the commitment"


def check_statement(place, statement, public):
    """Everything in the file, with nothing of this program."""
    predicate = statement["predicate"]
    journal = predicate["journal"]
    size, root = check_note(place, journal["checkpoint"], public)
    by_action = {}
    for entry in journal["entries"]:
        path = [bytes.fromhex(one[7:]) for one in entry.pop("path")]
        claimed = entry.pop("hash")
        assert digest(b"imprimatur-entry-v1\n" + canonical(entry)) == claimed
        leaf = sha(b"\x00" + bytes.fromhex(claimed[7:]))
        assert root_by_path(leaf, entry["seq"] - 1, size, path) == root
        by_action.setdefault(entry["action"], []).append(entry)
    check("every entry has its hash and is under the checkpoint", len(journal["entries"]) > 8)
    version, made = predicate["version"], by_action["release.created"][0]
    assert digest(b"imprimatur-version-v1\n" + canonical(version["content"])) == version["digest"]
    assert statement["subject"][0]["digest"]["sha256"] == version["digest"][7:] == made["details"]["digest"][7:]
    assert digest(canonical(predicate["gate"]["answer"])) == predicate["gate"]["digest"] == made["details"]["gate"]
    assert digest(version["name"].encode()) == by_action["artifact.created"][0]["details"]["nameDigest"]
    check("content, gate answer and name have their digests", predicate["gate"]["answer"]["met"])
    check_words(version["message"], by_action["version.saved"][0])
    check_words(predicate["release"]["reason"], made)
    check_words(predicate["review"]["comment"], by_action["review.submitted"][0])
    for verdict, entry in zip(predicate["review"]["verdicts"], by_action["verdict.given"], strict=True):
        check_words(verdict["comment"], entry)
        assert verdict["by"]["id"] == entry["actor"]
    contributors = {one["by"]["id"] for one in predicate["contributors"]["people"]}
    check("the approver is no contributor", contributors and predicate["review"]["verdicts"][0]["by"]["id"] not in contributors)


def run_page(place, client, environment):
    script = "set -eu\n" + shell_blocks()
    done = subprocess.run(["bash", "-c", script], cwd=place, env=environment, capture_output=True, text=True, check=False)
    check("openssl alone says that the signature holds", done.returncode == 0 and "Signature Verified Successfully" in done.stdout,
          done.stdout + done.stderr)
    public = base64.b64decode(client.must(200, "GET", f"/api/v1/audit-logs/checkpoint?project={PROJECT}")["publicKey"])
    check("the digest it prints is that of the key", sha(public).hex() in done.stdout, done.stdout)
    # The same lines say no to a file that was changed.
    file = place / "release.dsse.json"
    kept = file.read_text()
    payload = json.loads(kept)["payload"]
    altered = base64.b64encode(base64.b64decode(payload).replace(b'"approve"', b'"abstain"')).decode()
    assert altered != payload
    file.write_text(kept.replace(payload, altered))
    done = subprocess.run(["bash", "-c", script], cwd=place, env=environment, capture_output=True, text=True, check=False)
    check("and no to a changed statement", done.returncode != 0 and "Verified Successfully" not in done.stdout, done.stdout)
    file.write_text(kept)
    return public


def command(environment, *arguments, wanted=0):
    done = subprocess.run([binary(), *map(str, arguments)], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != wanted:
        raise AssertionError(f"{arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def check_report(client):
    status, text = client.call("GET", f"/api/v1/audit-logs/report?project={PROJECT}&format=csv")
    rows = list(csv.DictReader(io.StringIO(text.decode(), newline="")))
    changes = [row for row in rows if row["section"] == "change"]
    check("the report is CSV with a line a change", status == 200 and len(changes) == 2, rows)
    check("approvers and contributors stand apart",
          all(row["approvedBy"] and row["approvedBy"] not in row["contributors"] for row in changes), changes)
    check("nothing begins as a formula", all(not value.startswith(("=", "+", "-", "@")) for row in rows for value in row.values()))
    ends = json.loads(rows[-1]["details"])
    check("it ends with how much it held", rows[-1]["section"] == "end" and ends["lines"]["change"] == 2, ends)


def check_witness(place, data, admin, viewer, environment):
    where = f"/api/v1/audit-logs/checkpoint?project={PROJECT}"
    witness, stranger = Witness(place, "witness.example/w1"), Witness(place, "witness.example/w2")
    added = admin.must(201, "POST", "/api/v1/witnesses", {"verifierKey": witness.verifier_key()})
    check("the server reads the key as it was made", added["name"] == witness.name)
    note = viewer.must(200, "GET", where)["note"]
    viewer.must(422, "POST", "/api/v1/audit-logs/cosignatures", {"note": stranger.cosigned(note)})
    viewer.must(201, "POST", "/api/v1/audit-logs/cosignatures", {"note": witness.cosigned(note)})
    status, text = viewer.call("GET", where + "&format=note&cosigned=true")
    check("what a witness signed is shown", status == 200 and witness.name in text.decode())
    kept, bare = place / "checkpoint.txt", place / "bare.txt"
    kept.write_bytes(text)
    bare.write_text(note)
    command(environment, "verify", data, "--checkpoint", bare)
    said = command(environment, "verify", data, "--json", "--checkpoint", kept, "--witness", witness.verifier_key())
    check("verify takes the note and its witness", {"--checkpoint", "--witness"} <= set(json.loads(said)["keyComparedWith"]))
    for path, key in ((kept, stranger), (bare, witness)):
        command(environment, "verify", data, "--checkpoint", path, "--witness", key.verifier_key(), wanted=1)
    kept.write_text(text.decode().replace(note.splitlines()[2], base64.b64encode(sha(b"else")).decode()))
    command(environment, "verify", data, "--checkpoint", kept, wanted=1)
    command(environment, "verify", data, "--witness", witness.verifier_key(), wanted=2)
    check("and says no to another witness, to none, and to another root", True)
    # From the old size to the new one, by the proof alone.
    old_size = int(note.splitlines()[1])
    proof = viewer.must(200, "GET", f"/api/v1/audit-logs/consistency?project={PROJECT}&from={old_size}")
    check("a proof leads from what was cosigned to now", proof["fromRootHash"][7:] == base64.b64decode(note.splitlines()[2]).hex())


def main():
    with scratch("evidence") as directory:
        place = pathlib.Path(directory)
        data = place / "data"
        with Server(data) as server:
            server.wait_for_writes()
            tokens = people(server.port, PROJECT, {"ann": "editor", "bob": "reviewer", "eve": "viewer"})
            ann, bob, eve = (Client(server.port, tokens[name]) for name in ("ann", "bob", "eve"))
            admin = Client(server.port, tokens["admin"])
            prompt = ann.must(201, "POST", "/api/v1/prompts", {
                "project": PROJECT, "name": "support/reply", "type": "chat", "message": "first \u201ewords\u201c",
                "messages": [{"role": "system", "content": "Be kind. <script>\U0001f600\u0000</script>".replace("\u0000", "")}]})
            releases = []
            for number in (1, 2):
                if number == 2:
                    ann.must(201, "PUT", f"/api/v1/prompts/{prompt['id']}", {"messages": [{"role": "system", "content": "Kinder."}]})
                review = ann.must(201, "POST", f"/api/v1/prompts/{prompt['id']}/versions/{number}/submit", {"comment": "please"})
                bob.must(200, "POST", f"/api/v1/reviews/{review['id']}/approve", {"comment": "=1+1 looks good"})
                releases.append(bob.must(201, "POST", f"/api/v1/prompts/{prompt['id']}/versions/{number}/deploy",
                                         {"environment": "production"})["id"])
            environment = {**os.environ, "TOKEN": tokens["ann"], "IMPRIMATUR_TOKEN": tokens["ann"],
                           "IMPRIMATUR_SERVER": f"http://127.0.0.1:{server.port}", "IMPRIMATUR_PROJECT": PROJECT}
            (place / "release.dsse.json").write_text(command(environment, "evidence", releases[0]))
            public = run_page(place, ann, environment)
            statement = json.loads(base64.b64decode(json.loads((place / "release.dsse.json").read_text())["payload"]))
            check("it is an in-toto statement", statement["_type"] == "https://in-toto.io/Statement/v1")
            check_statement(place, statement, public)
            command(environment, "verify", place / "release.dsse.json", "--key", digest(public))
            command(environment, "verify", place / "release.dsse.json", "--key", digest(b"another"), wanted=1)
            page = command(environment, "evidence", releases[0], "--html")
            check("the page holds no markup of others", "<script" not in page and "&lt;script&gt;" in page)
            history = command(environment, "history", "support/reply")
            check("the history has both", all(release in history for release in releases), history)
            check_report(ann)
            check_witness(place, data, admin, eve, environment)
            if server.stop() != 0:
                raise AssertionError("the server did not stop well")
        command(os.environ, "verify", data)


main()
