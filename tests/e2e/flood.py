#!/usr/bin/env python3
"""Floods of what a server must refuse, or may not hold: its memory stays flat, and others are served meanwhile."""
import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from driver import Client, Server, people, scratch  # noqa: E402

PROJECT = "flood"
GROWTH = 96 * 1024  # KiB that a flood may add
BODY = 8_000_000    # announced


def resident(server):
    """KiB."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def connected(server):
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    connection.settimeout(30)
    return connection


def request(method, path, token, fields="", body=b""):
    credential = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"{method} {path} HTTP/1.1\r\nHost: h\r\n{credential}{fields}\r\n".encode() + body


def first_line(connection):
    """The status line, or nothing when the connection ended first."""
    try:
        return connection.recv(4096).split(b"\r\n")[0].decode()
    except OSError:
        return ""


def heads_that_cannot_be_taken(server, _):
    wrong = [b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
             b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
             b"GET / HTTP/1.1\nHost: h\n\n", b"GET / HTTP/1.1\r\nHost: h\r\n folded: x\r\n\r\n",
             b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", b"\x16\x03\x01" * 2000]
    for number in range(3000):
        with connected(server) as connection:
            connection.sendall(wrong[number % len(wrong)])
            line = first_line(connection)
            assert line.startswith(("HTTP/1.1 4", "HTTP/1.1 505")) or not line, line


def heads_that_stop(server, _):
    held = [connected(server) for _ in range(900)]
    for connection in held:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\nX-Long: " + b"x" * 8000)
    return held


def bodies_of_nobody(server, _):
    fields = f"Content-Type: application/json\r\nContent-Length: {BODY}\r\n"
    for token in (None, "ims_nobody", "imp_nobody"):
        for _ in range(60):
            with connected(server) as connection:
                try:
                    connection.sendall(request("POST", "/api/v1/prompts/batch", token, fields, b"[" * 1_000_000))
                except OSError:
                    pass  # the answer came first, and the connection went
                line = first_line(connection)
                assert line.startswith("HTTP/1.1 401") or not line, line


def bodies_that_are_nothing(server, known):
    many = b'{"project":"' + b"x" * 1_500_000
    deep, double = b"[" * 1_000_000, b'{"a":1,"a":1' + b',"a":1' * 200_000 + b"}"
    for body in (many, deep, double, b"\xff" * 1_000_000, b'{"name":' + b"9" * 1_000_000 + b"}"):
        for _ in range(40):
            with connected(server) as connection:
                fields = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                connection.sendall(request("POST", "/api/v1/prompts", known["ann"], fields, body))
                line = first_line(connection)
                assert line.startswith("HTTP/1.1 4"), line


def answers_that_nobody_reads(server, known):
    held = []
    for query in ("", "?version=1"):
        ask = request("GET", f"/api/v1/runtime/prompts/long{query}", known["key"]) * 20
        for _ in range(150):
            held.append(connected(server))
            held[-1].sendall(ask)
    return held


def main():
    with scratch("flood") as place, Server(pathlib.Path(place) / "data") as server:
        server.wait_for_writes()
        known = people(server.port, PROJECT, {"ann": "editor"})
        ann, admin = Client(server.port, known["ann"]), Client(server.port, known["admin"])
        prompt = ann.must(201, "POST", "/api/v1/prompts", {"project": PROJECT, "name": "long", "type": "text",
                                                           "content": "x" * 200_000})
        ann.must(201, "POST", f"/api/v1/prompts/{prompt['id']}/versions/1/deploy", {"environment": "development"})
        known["key"] = admin.must(201, "POST", f"/api/v1/projects/{PROJECT}/api-keys",
                                  {"name": "app", "scopes": ["runtime:read"], "environment": "development"})["key"]
        for flood in (heads_that_cannot_be_taken, heads_that_stop, bodies_of_nobody, bodies_that_are_nothing,
                      answers_that_nobody_reads):
            before = resident(server)
            held = flood(server, known) or []
            client = Client(server.port, known["ann"])
            assert client.call("GET", "/api/v1/auth/me")[0] == 200
            client.must(201, "PUT", f"/api/v1/prompts/{prompt['id']}", {"content": "x" * 200_000 + flood.__name__})
            grown = resident(server) - before
            print(f"{flood.__name__.replace('_', ' ')}: {grown} KiB more")
            assert grown < GROWTH, grown
            client.close()
            for connection in held:
                connection.close()
        assert server.stop() == 0


if __name__ == "__main__":
    main()
