#!/usr/bin/env python3
"""kill -9 in a loop during writes: nothing that was acknowledged is lost, and the journal verifies.

kill.py [KILLS [SEED]]
"""
import http.client
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from driver import Client, Server, in_parallel, people, scratch, verify  # noqa: E402

WRITERS = 6
PROMPTS = 12
PROJECT = "shop"
VERIFY_EVERY = 20
LONGEST_LIFE = 0.4  # seconds of writes before the kill


class Acknowledged:
    """What the server said it had done."""

    def __init__(self):
        self.lock = threading.Lock()
        self.texts = {}  # (prompt, version) -> content
        self.live = {}   # prompt -> version in development

    def saved(self, prompt, version, content):
        with self.lock:
            self.texts[(prompt, version)] = content

    def deployed(self, prompt, version):
        with self.lock:
            self.live[prompt] = version


def write_until_killed(port, token, prompts, seed, acknowledged):
    """One writer owns its prompts, so it knows which version must be there."""
    client, dice = Client(port, token), random.Random(seed)
    try:
        while True:
            prompt = dice.choice(prompts)
            content = f"Answer {dice.getrandbits(64):x} politely.\n" + "x" * dice.randrange(4000)
            status, saved = client.call("PUT", f"/api/v1/prompts/{prompt}", {"content": content})
            if status != 201:
                raise AssertionError(f"save: {status} {saved}")
            acknowledged.saved(prompt, saved["number"], content)
            if dice.random() < 0.3:
                status, release = client.call(
                    "POST", f"/api/v1/prompts/{prompt}/versions/{saved['number']}/deploy",
                    {"environment": "development"})
                if status != 201:
                    raise AssertionError(f"deploy: {status} {release}")
                acknowledged.deployed(prompt, saved["number"])
    except (OSError, http.client.HTTPException):
        return


def one_life(server, token, prompts, dice, acknowledged):
    failures = []

    def run(number):
        try:
            write_until_killed(server.port, token, prompts[number::WRITERS], dice.random(), acknowledged)
        except BaseException as failure:  # pylint: disable=broad-except
            failures.append(failure)

    crew = [threading.Thread(target=run, args=(number,)) for number in range(WRITERS)]
    try:
        for one in crew:
            one.start()
        time.sleep(dice.uniform(0.02, LONGEST_LIFE))
    finally:
        server.kill()
    for one in crew:
        one.join()
    if failures:
        raise failures[0]


def check(port, token, texts, live):
    def same(client, item):
        (prompt, number), content = item
        answer = client.must(200, "GET", f"/api/v1/prompts/{prompt}/versions/{number}")
        assert answer["content"] == content, f"{prompt} version {number} is another text"

    def still_live(client, item):
        prompt, number = item
        answer = client.must(200, "GET", f"/api/v1/prompts/{prompt}")
        assert answer["live"].get("development", 0) >= number, f"{prompt}: the deploy of {number} is lost: {answer}"
    in_parallel(port, token, texts.items(), same)
    in_parallel(port, token, live.items(), still_live)


def kill_again_and_again(data, kills, dice, acknowledged):
    server = Server(data)
    try:
        server.wait_for_writes()
        token = people(server.port, PROJECT, {"ann": "editor"})["ann"]
        client = Client(server.port, token)
        prompts = [client.must(201, "POST", "/api/v1/prompts",
                               {"project": PROJECT, "name": f"p{n}", "type": "text", "content": "x"})["id"]
                   for n in range(PROMPTS)]
        for round_number in range(1, kills + 1):
            before = set(acknowledged.texts)
            one_life(server, token, prompts, dice, acknowledged)
            if round_number % VERIFY_EVERY == 0:
                verify(data)
            server = Server(data)
            server.wait_for_writes()
            check(server.port, token, {key: text for key, text in acknowledged.texts.items() if key not in before},
                  acknowledged.live)
            print(f"kill {round_number}: {len(acknowledged.texts)} saves acknowledged, none lost", flush=True)
        check(server.port, token, acknowledged.texts, acknowledged.live)
        assert server.stop() == 0, "the server did not stop cleanly"
    finally:
        server.kill()


def main():
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().getrandbits(32)
    print(f"{kills} kills, seed {seed}")
    acknowledged, started = Acknowledged(), time.monotonic()
    with scratch("kill") as folder:
        data = pathlib.Path(folder) / "data"
        kill_again_and_again(data, kills, random.Random(seed), acknowledged)
        # Where nothing was written, nothing could be lost.
        assert len(acknowledged.texts) > kills, f"only {len(acknowledged.texts)} saves were acknowledged"
        assert acknowledged.live, "no deploy was acknowledged"
        verify(data)
    print(f"{kills} kills, {len(acknowledged.texts)} saves acknowledged and all there, journal verifies, "
          f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
