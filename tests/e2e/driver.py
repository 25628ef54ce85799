"""The real binary on a data directory of its own, and a client for it. Python's standard library only."""
import http.client
import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SKIPPED = 77
PASSWORD = "correct horse battery staple"
START_SECONDS = 60


def binary():
    path = pathlib.Path(os.environ.get("IMPRIMATUR_BINARY", ROOT / "build/release/imprimatur")).absolute()
    if not path.exists():
        print(f"no binary at {path}; ./dev build makes it")
        sys.exit(SKIPPED)
    return path


def real_prompts():
    """The collection of prompts from the wild, which is not part of the repository."""
    path = pathlib.Path(os.environ.get("IMPRIMATUR_PROMPTS", ""))
    if not path.is_file():
        print("no real prompts here; IMPRIMATUR_PROMPTS names the file")
        sys.exit(SKIPPED)
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def scratch(name):
    """A directory that goes with the process."""
    return tempfile.TemporaryDirectory(prefix=f"imprimatur-{name}-")


class Server:
    """`imprimatur serve` on `data`, on a free port, started in the root of the repository. `with` ends it
    whatever happens."""

    def __init__(self, data, *options):
        self.data, self.said = str(data), ""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("IMPRIMATUR_")}
        if "--demo" not in options:
            environment["IMPRIMATUR_ADMIN_PASSWORD"] = PASSWORD
        self.log = open(f"{self.data}.log", "ab")
        self.process = subprocess.Popen(
            [binary(), "serve", "--data", self.data, "--listen", "127.0.0.1:0", *options],
            stdout=subprocess.PIPE, stderr=self.log, env=environment, cwd=ROOT)
        port = queue.Queue()
        threading.Thread(target=self._listen, args=(port,), daemon=True).start()
        self.port = None
        try:
            self.port = port.get(timeout=START_SECONDS)
        except queue.Empty:
            pass
        finally:
            if self.port is None:
                self.kill()
        if self.port is None:
            raise RuntimeError(f"the server did not start: {self.last_words()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def _listen(self, port):
        for line in self.process.stdout:
            text = line.decode(errors="replace")
            self.said += text
            if text.startswith("Listening on "):
                port.put(int(text.strip().rsplit(":", 1)[1]))
        port.put(None)

    def last_words(self):
        with open(f"{self.data}.log", encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-5:])

    def wait_for_writes(self):
        client, until = Client(self.port), time.monotonic() + START_SECONDS
        while client.call("GET", "/readyz")[1]["writes"] != "open":
            if time.monotonic() > until:
                raise RuntimeError(f"writes did not open: {self.last_words()}")
            time.sleep(0.01)
        client.close()

    def kill(self):
        """Where it still runs; afterwards it does not."""
        self.process.kill()
        self.process.wait()
        self.log.close()

    def stop(self):
        """The exit status of an orderly end."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=START_SECONDS)
        finally:
            self.kill()


class Client:
    """One connection, kept open. Not for several threads."""

    def __init__(self, port, token=None):
        self.port, self.token = port, token
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def close(self):
        self.connection.close()

    def call(self, method, path, body=None, headers=None):
        """(status, JSON or bytes). Raises OSError or HTTPException when the server goes away."""
        headers = dict(headers or {})
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        self.connection.request(method, path, data, headers)
        answer = self.connection.getresponse()
        payload = answer.read()
        kind = answer.headers.get("Content-Type", "")
        if payload and kind.split(";")[0] in ("application/json", "application/problem+json"):
            return answer.status, json.loads(payload)
        return answer.status, payload

    def must(self, wanted, method, path, body=None):
        status, answer = self.call(method, path, body)
        if status != wanted:
            raise AssertionError(f"{method} {path}: {status} instead of {wanted}: {answer}")
        return answer


def sign_in(port, email, password=PASSWORD):
    answer = Client(port).must(200, "POST", "/api/v1/auth/login", {"email": email, "password": password})
    return answer["token"]


def people(port, project, members):
    """Makes the project and its members (name to role); answers each one's token, and the admin's."""
    tokens = {"admin": sign_in(port, "admin@localhost")}
    admin = Client(port, tokens["admin"])
    admin.must(201, "POST", "/api/v1/projects", {"name": project})
    for name, role in members.items():
        email = f"{name}@example.com"
        admin.must(201, "POST", "/api/v1/users", {"email": email, "displayName": name.title(), "password": PASSWORD})
        admin.must(200, "PUT", f"/api/v1/projects/{project}/members/{email}", {"role": role})
        tokens[name] = sign_in(port, email)
    return tokens


def verify(*arguments):
    """`imprimatur verify`: raises when it does not exit with 0."""
    done = subprocess.run([binary(), "verify", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"verify {arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}")


def in_parallel(port, token, items, work, threads=8):
    """work(client, item) for every item, on a few connections; answers in order, the first failure raised."""
    items = list(items)
    results, failures, numbers, lock = [None] * len(items), [], iter(range(len(items))), threading.Lock()

    def run():
        client = Client(port, token)
        while not failures:
            with lock:
                number = next(numbers, None)
            if number is None:
                break
            try:
                results[number] = work(client, items[number])
            except Exception as failure:  # pylint: disable=broad-except
                failures.append(failure)
        client.close()

    crew = [threading.Thread(target=run) for _ in range(threads)]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
    if failures:
        raise failures[0]
    return results


def encoded(name):
    return urllib.parse.quote(name, safe="")
