#!/usr/bin/env python3
"""The main job by the command line, against a server and on its data directory: exit codes, JSON, and what a terminal shows."""
import json
import os
import pathlib
import pty
import stat
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from driver import PASSWORD, Client, Server, binary, encoded, people, scratch  # noqa: E402

PROJECT = "shop"


class Shell:
    """The binary as one person, whose tokens stand in a directory of their own."""

    def __init__(self, port, home):
        self.environment = {"PATH": os.environ["PATH"], "XDG_CONFIG_HOME": str(home), "IMPRIMATUR_PROJECT": PROJECT,
                            "IMPRIMATUR_SERVER": f"http://127.0.0.1:{port}"}

    def run(self, wanted, *arguments, **more):
        done = subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, env={**self.environment, **more})
        if done.returncode != wanted:
            raise AssertionError(f"{arguments}: exit {done.returncode} instead of {wanted}\n{done.stdout}{done.stderr}")
        return done

    def json(self, wanted, *arguments, **more):
        return json.loads(self.run(wanted, *arguments, "--json", **more).stdout)

    def login(self, email):
        self.run(0, "login", "--email", email, IMPRIMATUR_PASSWORD=PASSWORD)
        return self

    def on_terminal(self, *arguments):
        """What a terminal shows, progress included."""
        leader, follower = pty.openpty()
        done = subprocess.Popen([binary(), *map(str, arguments)], stdin=follower, stdout=follower, stderr=follower,
                                env=self.environment)
        os.close(follower)
        shown = b""
        try:
            while piece := os.read(leader, 65536):
                shown += piece
        except OSError:
            pass
        os.close(leader)
        return done.wait(), shown.decode(errors="replace")


def write_prompts(folder):
    (folder / "support").mkdir(parents=True)
    (folder / "support/reply.prompt").write_bytes(b"---\ntags: [mail]\nlicense: MIT\n---\nHello {{name}},\r\nthank you.\n")
    (folder / "bye.md").write_text("Say goodbye politely.\n", encoding="utf-8")
    lines = [json.dumps({"name": f"many/{i}", "type": "text", "content": f"Answer question {i} briefly."})
             for i in range(1200)]
    (folder / "many.jsonl").write_text("\n".join([*lines, "{broken"]) + "\n", encoding="utf-8")


def imports(ann, folder):
    report = ann.json(1, "import", folder)
    assert (report["created"], report["skipped"]) == (1202, 1), report
    assert report["ignoredKeys"] == {"license": 1}, report["ignoredKeys"]
    again = ann.json(1, "import", folder)
    assert (again["created"], again["unchanged"]) == (0, 1202), again
    exit_code, shown = ann.on_terminal("import", folder)
    assert exit_code == 1 and "Importing [" in shown and "1202 unchanged" in shown, shown
    assert "Importing [" not in ann.run(1, "import", folder).stderr


def reviews(ann, ben, token):
    review = ann.json(0, "submit", "support/reply", "--comment", "please")
    assert review["state"] == "open", review
    refused = ann.json(1, "approve", review["id"])
    assert refused["error"]["code"] == "forbidden" and refused["error"]["reasons"], refused
    ann.run(1, "approve", review["id"], IMPRIMATUR_TOKEN=token)
    assert ben.json(1, "approve", review["id"], "--digest", "sha256:" + "0" * 64)["error"]["code"] == "conflict"
    assert ben.json(1, "deploy", "support/reply")["error"]["code"] == "unprocessable"
    approved = ben.json(0, "approve", review["id"], "--digest", review["items"][0]["digest"])
    assert approved["state"] == "approved", approved
    assert "live" in ben.run(0, "deploy", "--review", review["id"]).stdout
    rejected = ann.json(0, "submit", "bye")
    assert ben.json(0, "reject", rejected["id"], "--comment", "no")["state"] == "rejected"

    # An objection blocks until its author takes it back or somebody who may sets it aside.
    argued = ann.json(0, "submit", "bye")["id"]
    assert ben.json(0, "request-changes", argued, "--comment", "Name the price")["state"] == "open"
    assert "1. request_changes by" in ann.run(0, "show", argued).stdout
    assert ann.json(1, "dismiss", argued, "--verdict", "1", "--reason", "a nit")["error"]["code"] == "forbidden"
    assert ben.json(0, "dismiss", argued, "--verdict", "1")["verdicts"][0]["dismissed"] is not None
    ben.run(2, "dismiss", argued)
    ben.run(2, "approve", argued, "--answer", "brand")
    assert ben.json(2, "approve", argued, "--answer", "brand=yes:reads well")["error"]["code"] == "invalid"
    ann.run(0, "withdraw", argued)


def second_version(ann, ben, folder):
    path = folder / "support/reply.prompt"
    path.write_bytes(path.read_bytes().replace(b"thank you", b"many thanks"))
    report = ann.json(0, "import", folder / "support", "--on-conflict", "newVersion", "--dry-run")
    assert report["items"][0]["name"] == "reply", report  # names come from below the folder named
    report = ann.json(1, "import", folder, "--on-conflict", "newVersion")
    assert report["unchanged"] == 1201, report
    shown = ann.run(0, "diff", "support/reply").stdout
    assert "-thank you." in shown and "+many thanks." in shown, shown
    assert "\033[32m" in ann.on_terminal("diff", "support/reply")[1]
    review = ann.json(0, "submit", "support/reply", "--version", "2")
    ben.run(0, "approve", review["id"])
    ben.run(0, "deploy", "support/reply", "--version", "2")


def main():
    with scratch("cli") as place:
        place = pathlib.Path(place)
        server = Server(place / "data")
        try:
            server.wait_for_writes()
            tokens = people(server.port, PROJECT, {"ann": "editor", "ben": "reviewer"})
            ann = Shell(server.port, place / "ann").login("ann@example.com")
            ben = Shell(server.port, place / "ben").login("ben@example.com")
            kept = place / "ann/imprimatur/tokens.json"
            assert stat.S_IMODE(kept.stat().st_mode) == 0o600, oct(kept.stat().st_mode)
            ann.run(1, "login", "--email", "ann@example.com", IMPRIMATUR_PASSWORD="wrong and long enough")
            ann.run(2, "login", "--email", "ann@example.com")  # nothing to ask on
            write_prompts(place / "prompts")
            imports(ann, place / "prompts")
            admin = Client(server.port, tokens["admin"])
            key = admin.must(201, "POST", f"/api/v1/projects/{PROJECT}/api-keys",
                             {"name": "app", "scopes": ["runtime:read"], "environment": "production"})["key"]
            reviews(ann, ben, key)
            runtime = f"/api/v1/runtime/prompts/{encoded('support/reply')}"
            before = Client(server.port, key).must(200, "GET", runtime)["content"]
            assert before == "Hello {{name}},\r\nthank you.\n", before
            second_version(ann, ben, place / "prompts")
            assert "many thanks" in Client(server.port, key).must(200, "GET", runtime)["content"]
            ben.run(0, "rollback", "support/reply", "--reason", "too warm")
            assert Client(server.port, key).must(200, "GET", runtime)["content"] == before
            ben.run(1, "rollback", "support/reply")
            checkpoint = place / "checkpoint.json"
            checkpoint.write_text(json.dumps(ann.json(0, "verify", place / "data")), encoding="utf-8")
            assert "another process" in ann.run(3, "import", place / "prompts", "--data", place / "data").stderr
            log = admin.call("GET", f"/api/v1/audit-logs/export?project={PROJECT}")[1]
            (place / "log.jsonl").write_bytes(log)
            ann.run(0, "verify", place / "log.jsonl")
            (place / "cut.jsonl").write_bytes(b"".join(log.splitlines(True)[1:]))
            ann.run(1, "verify", place / "cut.jsonl")
            ann.run(0, "logout")
            ann.run(1, "submit", "bye")
            assert server.stop() == 0, "the server did not stop cleanly"
        finally:
            server.kill()
        assert ann.run(3, "submit", "bye", IMPRIMATUR_TOKEN="imp_x").stderr
        (place / "late.txt").write_text("One more.", encoding="utf-8")
        assert ann.json(0, "import", place / "late.txt", "--data", place / "data")["created"] == 1
        ann.run(0, "verify", place / "data", "--checkpoint", checkpoint)
        (place / "export.jsonl").write_text(ann.run(0, "journal", "export", "--data", place / "data").stdout, encoding="utf-8")
        ann.run(0, "verify", place / "export.jsonl", "--checkpoint", checkpoint)
    print("the command line does the main job")


if __name__ == "__main__":
    main()
