#!/usr/bin/env python3
"""Starts that fail lose nothing: the first password is said, no second secret is made, no port is shared."""
import os
import pathlib
import re
import socket
import subprocess

import driver


def serve(*arguments, where, password=False):
    """(exit code, standard output, standard error) of a start that is expected to fail."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("IMPRIMATUR_")}
    if password:
        environment["IMPRIMATUR_ADMIN_PASSWORD"] = driver.PASSWORD
    done = subprocess.run([driver.binary(), "serve", *arguments], cwd=where, env=environment, text=True,
                          capture_output=True, timeout=driver.START_SECONDS, check=False)
    return done.returncode, done.stdout, done.stderr


def a_taken_port_does_not_swallow_the_password(place):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, said, why = serve("--data", "first", "--listen", address, where=place)
        assert code == 3 and "cannot bind" in why, (code, why)
        password = re.search(r"password: (\S+) \(shown once\)", said)
        assert password, said
        code, said, _ = serve("--data", "first", "--listen", address, where=place)
        assert code == 3 and "password:" not in said, said
    server = driver.Server(place / "first")
    client = driver.Client(server.port)
    status, _ = client.call("POST", "/api/v1/auth/login",
                            {"email": "admin@localhost", "password": password.group(1)})
    assert status == 200, status
    client.close()
    assert server.stop() == 0


def a_lost_secret_is_not_replaced(place):
    server = driver.Server(place / "second")
    assert server.stop() == 0
    secret = place / "second/secret"
    kept = secret.read_bytes()
    secret.unlink()
    code, _, why = serve("--data", "second", "--listen", "127.0.0.1:0", where=place)
    assert code != 0 and "restore it" in why, (code, why)
    assert not secret.exists()
    secret.write_bytes(kept)
    secret.chmod(0o600)
    server = driver.Server(place / "second")
    server.wait_for_writes()
    assert server.stop() == 0


def an_unreachable_database_leaves_nothing_behind(place):
    (place / "third").mkdir()
    code, _, why = serve("--database", "postgresql://127.0.0.1:1/nobody", "--listen", "127.0.0.1:0",
                         where=place / "third")
    assert code == 3 and "cannot open the database" in why, (code, why)
    assert not list((place / "third").iterdir())


def two_servers_do_not_share_a_port(place):
    server = driver.Server(place / "fourth")
    code, _, why = serve("--data", "fifth", "--threads", "2", "--listen", f"127.0.0.1:{server.port}",
                         where=place, password=True)
    assert code == 3 and "cannot bind" in why, (code, why)
    assert server.stop() == 0


def main():
    with driver.scratch("starting") as folder:
        place = pathlib.Path(folder)
        for check in (a_taken_port_does_not_swallow_the_password, a_lost_secret_is_not_replaced,
                      an_unreachable_database_leaves_nothing_behind, two_servers_do_not_share_a_port):
            check(place)
            print(check.__name__.replace("_", " "))


if __name__ == "__main__":
    main()
