#!/usr/bin/env python3
"""An import that is stopped in the middle goes on where it was: against a server and on a data directory, by
Ctrl-C and by kill -9. Everything is there once and byte for byte, a batch is a transaction, and what was skipped
is named with its reason."""
import contextlib
import json
import os
import pathlib
import random
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from driver import PASSWORD, Client, Server, binary, in_parallel, people, scratch, sign_in, verify  # noqa: E402

PROJECT = "many"
FILES = 4000
BATCH = 500
SECONDS = 120
OTHER_COMMITS = 5  # beside the batches: last uses, sessions


def write_prompts(folder):
    """FILES prompts below `folder`, of all sizes and of bytes that are easily lost. Their texts by name."""
    dice, texts = random.Random(2), {}
    for number in range(FILES):
        name = f"area{number % 40}/prompt{number}"
        texts[name] = (f"Answer question {number} in one sentence.\r\n\tÄrger, 日本語 \U0001f600, 'quotes' \\ \n"
                       + "Stay polite. " * dice.randrange(100) + "\n" * (number % 3))
        path = folder / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(texts[name].encode())
    return texts


def rows(data, sql):
    """The first row, as another program sees it beside the one that writes."""
    with contextlib.closing(sqlite3.connect(f"file:{data}/imprimatur.db?mode=ro", uri=True, timeout=30)) as database:
        return database.execute(sql).fetchone()


def imported(data):
    return rows(data, "SELECT count(*) FROM artifacts")[0]


def commits(data):
    """Of the processes that write, and of those that were killed while they did."""
    return rows(data, "SELECT coalesce(sum(group_number), 0) FROM writers")[0]


def heeds_ctrl_c():
    """Whatever a shell starts in the background was told to ignore it, and so are its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Import:
    """`imprimatur import` of one folder into one place."""

    def __init__(self, folder, environment, *place):
        self.command = [binary(), "import", folder, "--project", PROJECT, *place]
        self.environment = {"PATH": os.environ["PATH"], **environment}

    def run(self, wanted):
        done = subprocess.run([*self.command, "--json"], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, env=self.environment)
        assert done.returncode == wanted, f"import: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr}"
        return json.loads(done.stdout)

    def said(self, wanted):
        done = subprocess.run(self.command, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, env=self.environment)
        assert done.returncode == wanted, f"import: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr}"
        return done.stdout

    def stop_after(self, data, enough, how):
        """Starts it, and ends it once `enough` prompts are there."""
        running = subprocess.Popen([*self.command, "--json"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   stdin=subprocess.DEVNULL, env=self.environment, preexec_fn=heeds_ctrl_c)
        try:
            until = time.monotonic() + SECONDS
            while imported(data) < enough:
                assert running.poll() is None, f"it ended by itself: exit {running.returncode}"
                assert time.monotonic() < until, "nothing was imported"
            running.send_signal(how)
            assert running.wait(timeout=SECONDS) == -how, f"exit {running.returncode}: it was not stopped"
        finally:
            running.kill()
            running.wait()


def stop_and_go_on(doing, data, texts, settled):
    """Stopped twice, then to the end. `settled()` waits until what was under way has been committed or dropped."""
    before = imported(data)
    assert before == 0, before
    for round_number, how in enumerate((signal.SIGINT, signal.SIGKILL), 1):
        doing.stop_after(data, imported(data) + 1, how)
        settled()
        there = imported(data)
        assert before < there < FILES, f"stopped too early or too late to say anything: {there}"
        assert there % BATCH == 0, f"a part of a batch: {there}"
        before = there
        print(f"  stopped for the {round_number}. time, {there} of {FILES} prompts are there")
    report = doing.run(0)
    assert (report["unchanged"], report["created"], report["skipped"]) == (before, FILES - before, 0), \
        {key: report[key] for key in ("unchanged", "created", "skipped")}
    assert {item["name"] for item in report["items"] if item["status"] == "unchanged"} <= set(texts)
    again = doing.run(0)
    assert (again["unchanged"], again["created"], again["newVersions"]) == (FILES, 0, 0), again["created"]


def compare(port, token, texts):
    """Everything is there, once, as it was in the files."""
    client, ids, cursor = Client(port, token), {}, ""
    while cursor is not None:
        page = client.must(200, "GET", f"/api/v1/prompts?project={PROJECT}&limit=200" +
                           (f"&cursor={cursor}" if cursor else ""))
        for prompt in page["items"]:
            assert prompt["name"] not in ids, f"{prompt['name']} is there twice"
            assert prompt["latestVersion"] == 1, prompt
            ids[prompt["name"]] = prompt["id"]
        cursor = page["nextCursor"]
    assert set(ids) == set(texts), f"{len(ids)} of {len(texts)}"

    def same(each, name):
        answer = each.must(200, "GET", f"/api/v1/prompts/{ids[name]}/versions/1")
        assert answer["content"] == texts[name], f"{name} came back as another text"
    in_parallel(port, token, texts, same)


def a_batch_is_a_transaction(server, environment, place):
    """1,000 prompts are 2 commits and not 1,000."""
    lines = [json.dumps({"name": f"lines/{n}", "type": "text", "content": f"Count to {n}."}) for n in range(2 * BATCH)]
    (place / "lines.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    before = commits(server.data)
    assert Import(place / "lines.jsonl", environment).run(0)["created"] == 2 * BATCH
    made = commits(server.data) - before
    assert 2 <= made <= 2 + OTHER_COMMITS, f"{made} commits for {2 * BATCH} prompts"
    print(f"  {2 * BATCH} prompts in {made} commits")


SKIPPED = {  # file: its bytes, and words of the reason
    "broken.json": (b'{"name": "x", "content": ', "byte 25: the document ends in the middle"),
    "bytes.txt": (b"Answer \xff politely.", "not UTF-8 at byte 7"),
    "front.prompt": (b"---\ntags: [unfinished\n---\nHello.", "front matter, line 3"),
    "open.txt": (b"Hello {{name", "line 1, column 7"),
    "taken.txt": (b"Other words under a name that is taken.", "a prompt of this name has other content"),
    "Taken.txt": (b"A name that looks like another.", 'looks like that of another prompt ("taken")'),
    "up.json": (b'{"name": "../up", "type": "text", "content": "Hello."}', 'the name holds ".."'),
}


def says_what_it_skipped(environment, place):
    folder = place / "skipped"
    folder.mkdir()
    (folder / "taken.txt").write_bytes(b"What was there first.")
    first = Import(folder, environment).run(0)
    assert first["created"] == 1, first
    for name, (text, _) in SKIPPED.items():
        (folder / name).write_bytes(text)
    wanted = {str(folder / name): reason for name, (_, reason) in SKIPPED.items()}
    doing = Import(folder, environment)
    report = doing.run(1)
    items = {item["path"]: item for item in report["items"]}
    assert set(items) == set(wanted), sorted(items)
    for path, reason in wanted.items():
        assert items[path]["status"] == "skipped", items[path]
        assert reason in (items[path]["reason"] or ""), f"{reason} is not in {items[path]}"
    assert report["skipped"] == len(wanted), report
    shown = doing.said(1).splitlines()
    for path, item in items.items():
        assert f"skipped {path}: {item['reason']}" in shown, f"{path} is not in\n" + "\n".join(shown)
    print(f"  {len(wanted)} skipped, each with its reason")


def on_a_server(place, texts):
    print("against a server:")
    with Server(place / "served") as server:
        server.wait_for_writes()
        token = people(server.port, PROJECT, {"ann": "editor"})["ann"]
        environment = {"IMPRIMATUR_SERVER": f"http://127.0.0.1:{server.port}", "IMPRIMATUR_TOKEN": token,
                       "IMPRIMATUR_PROJECT": PROJECT}

        def settled():
            # The server carries out what it was sent whole.
            before = -1
            while before != (before := imported(server.data)):
                time.sleep(2)
        stop_and_go_on(Import(place / "prompts", environment), server.data, texts, settled)
        compare(server.port, token, texts)
        a_batch_is_a_transaction(server, environment, place)
        says_what_it_skipped(environment, place)
        assert server.stop() == 0, "the server did not stop cleanly"
    verify(place / "served")


def on_a_directory(place, texts):
    print("on a data directory:")
    data = place / "offline"
    with Server(data) as server:
        server.wait_for_writes()
        people(server.port, PROJECT, {"ann": "editor"})
        assert server.stop() == 0, "the server did not stop cleanly"

    def settled():
        assert commits(data) == imported(data) / BATCH, f"{commits(data)} commits, {imported(data)} prompts"
        verify(data)
    stop_and_go_on(Import(place / "prompts", {}, "--data", data), data, texts, settled)
    verify(data)
    with Server(data) as server:
        server.wait_for_writes()
        compare(server.port, sign_in(server.port, "ann@example.com"), texts)


def main():
    with scratch("import") as place:
        place = pathlib.Path(place)
        texts = write_prompts(place / "prompts")
        on_a_server(place, texts)
        on_a_directory(place, texts)
    print("an import that was stopped goes on where it was")


if __name__ == "__main__":
    main()
