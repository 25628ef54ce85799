#!/usr/bin/env python3
"""The whole main job over HTTP, on real prompts: import, read back, submit, approve, deploy, fetch, roll back, prove."""
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from driver import Client, Server, encoded, in_parallel, people, real_prompts, scratch, verify  # noqa: E402

BATCH = 200
CHANGE_SET = 25
MOST_HELD_BACK = 0.01  # of prompts from the wild; the others have to go all the way
PROJECT = "wild"


def import_all(client, prompts):
    """The id of every prompt, by name. None is refused."""
    ids, refused = {}, {}
    for start in range(0, len(prompts), BATCH):
        items = [{"name": p["name"], "type": p["type"], "content": p["content"], "tags": p["tags"]}
                 for p in prompts[start:start + BATCH]]
        answer = client.must(200, "POST", f"/api/v1/prompts/batch?project={PROJECT}", {"items": items})
        for item in answer["items"]:
            if item["status"] == "created":
                ids[item["name"]] = item["id"]
            else:
                refused[item["name"]] = f"{item['status']}: {item['reason']}"
    assert not refused, f"{len(refused)} of {len(prompts)} were not taken: {list(refused.items())[:3]}"
    assert len(ids) == len(prompts), f"{len(prompts)} went in, {len(ids)} are there"
    return ids


def expect_same(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: {len(got or '')} characters came back, {len(wanted)} went in")


def approve_and_deploy(ann, ben, items):
    """One change set from submission to production. The reasons when the scan holds it back."""
    status, review = ann.call("POST", "/api/v1/reviews",
                              {"project": PROJECT, "environment": "production",
                               "items": [{"prompt": prompt, "version": 1} for prompt in items]})
    if status == 422:
        return review["reasons"] or [review["detail"]]
    if status != 201:
        raise AssertionError(f"submit: {status} {review}")
    status, _ = ann.call("POST", f"/api/v1/reviews/{review['id']}/approve", {})
    assert status == 403, f"the author approved: {status}"
    ben.must(200, "POST", f"/api/v1/reviews/{review['id']}/approve", {})
    released = ben.must(201, "POST", f"/api/v1/reviews/{review['id']}/deploy", {})
    assert len(released["releases"]) == len(items), released
    return None


def go_live(port, tokens, ids):
    """Every prompt that the gate lets through goes live. Answers names of the live ones and of the others."""
    scans = dict(zip(ids, in_parallel(port, tokens["ann"], ids.values(), lambda client, prompt: client.must(
        200, "GET", f"/api/v1/prompts/{prompt}/versions/1")["scan"])))
    critical = [name for name in ids if has_critical(scans[name])]
    clean = [name for name in ids if name not in set(critical)]
    ann, ben = Client(port, tokens["ann"]), Client(port, tokens["ben"])
    for start in range(0, len(clean), CHANGE_SET):
        names = clean[start:start + CHANGE_SET]
        held = approve_and_deploy(ann, ben, [ids[name] for name in names])
        assert held is None, f"{names}: {held}"
    for name in critical:
        held = approve_and_deploy(ann, ben, [ids[name]])
        assert held and any("CRITICAL" in reason for reason in held), f"{name} is CRITICAL: {held}"
    assert len(clean) + len(critical) == len(ids)
    assert len(critical) <= len(ids) * MOST_HELD_BACK, f"{len(critical)} of {len(ids)} were held back"
    return clean, critical


def has_critical(scan):
    return any(finding["severity"] == "CRITICAL" for finding in scan["findings"])


def change_and_roll_back(port, tokens, key, prompt, name, text):
    ann, ben, shop = Client(port, tokens["ann"]), Client(port, tokens["ben"]), Client(port, key)
    changed = text + "\nAnswer briefly.\n"
    version = ann.must(201, "PUT", f"/api/v1/prompts/{prompt}", {"content": changed, "baseVersion": 1})
    review = ann.must(201, "POST", f"/api/v1/prompts/{prompt}/versions/{version['number']}/submit", {})
    ben.must(200, "POST", f"/api/v1/reviews/{review['id']}/approve", {"digest": version["digest"]})
    ben.must(201, "POST", f"/api/v1/prompts/{prompt}/versions/{version['number']}/deploy",
             {"environment": "production"})
    runtime = f"/api/v1/runtime/prompts/{encoded(name)}"
    expect_same(f"{name} changed", shop.must(200, "GET", runtime)["content"], changed)
    ben.must(201, "POST", f"/api/v1/prompts/{prompt}/rollback", {"environment": "production", "reason": "Wrong tone"})
    expect_same(f"{name} rolled back", shop.must(200, "GET", runtime)["content"], text)


def main():
    prompts = real_prompts()
    with scratch("main-job") as folder:
        data = pathlib.Path(folder) / "data"
        with Server(data) as server:
            run(server, prompts, data, folder)


def run(server, prompts, data, folder):
    texts = {prompt["name"]: prompt["content"] for prompt in prompts}
    server.wait_for_writes()
    tokens = people(server.port, PROJECT, {"ann": "editor", "ben": "reviewer", "cleo": "admin"})
    started = time.monotonic()
    ids = import_all(Client(server.port, tokens["ann"]), prompts)
    print(f"imported {len(ids)} of {len(prompts)} in {time.monotonic() - started:.1f} s")

    def read_back(client, name):
        answer = client.must(200, "GET", f"/api/v1/prompts/{ids[name]}/versions/1")
        expect_same(name, answer["content"], texts[name])
    in_parallel(server.port, tokens["ann"], texts, read_back)

    live, critical = go_live(server.port, tokens, ids)
    key = Client(server.port, tokens["cleo"]).must(
        201, "POST", f"/api/v1/projects/{PROJECT}/api-keys",
        {"name": "shop", "scopes": ["runtime:read"], "environment": "production"})["key"]

    def fetch(client, name):
        answer = client.must(200, "GET", f"/api/v1/runtime/prompts/{encoded(name)}")
        expect_same(name, answer["content"], texts[name])
    in_parallel(server.port, key, live, fetch)
    in_parallel(server.port, key, critical, lambda client, name: client.must(
        404, "GET", f"/api/v1/runtime/prompts/{encoded(name)}"))
    print(f"{len(live)} live and byte for byte the same; {len(critical)} held back by the scan")

    change_and_roll_back(server.port, tokens, key, ids[live[0]], live[0], texts[live[0]])
    prove(server, tokens, data, folder)
    print(f"all of it in {time.monotonic() - started:.1f} s")


def prove(server, tokens, data, folder):
    """The journal of the project, exported, verifies by itself and says who did it; so does the directory."""
    cleo = Client(server.port, tokens["cleo"])
    exported = cleo.must(200, "GET", f"/api/v1/audit-logs/export?project={PROJECT}&format=jsonl")
    path = pathlib.Path(folder) / "journal.jsonl"
    path.write_bytes(exported)
    actions = [json.loads(line).get("action") for line in exported.decode().splitlines()]
    for action in ("version.saved", "review.submitted", "release.created", "release.rolled_back"):
        if action not in actions:
            raise AssertionError(f"no {action} among {sorted(set(map(str, actions)))}")
    checkpoint = pathlib.Path(folder) / "checkpoint.json"
    checkpoint.write_text(json.dumps(cleo.must(200, "GET", f"/api/v1/audit-logs/checkpoint?project={PROJECT}")),
                          encoding="utf-8")
    assert server.stop() == 0, "the server did not stop cleanly"
    verify(path)
    verify(data, "--checkpoint", checkpoint)
    print(f"{len(actions)} lines of journal verify")


if __name__ == "__main__":
    main()
