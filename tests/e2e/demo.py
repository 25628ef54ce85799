#!/usr/bin/env python3
"""What `serve --demo` prints to try is run as printed, by somebody who has set nothing up, and does what it says."""
import os
import pathlib
import pty
import select
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from driver import ROOT, SKIPPED, Server, binary, scratch  # noqa: E402

PASSWORD = "imprimatur-demo"
SECONDS = 60
HEADING = "Three commands to try:\n"


class Demo(Server):
    """`serve --demo` from the root of the repository; `commands` are the lines it printed."""

    def __init__(self, data):
        super().__init__(data, "--demo")
        until = time.monotonic() + SECONDS
        while self.said.partition(HEADING)[2].count("\n") < 3:
            if time.monotonic() > until or self.process.poll() is not None:
                self.kill()
                raise AssertionError(f"no three commands: {self.said}{self.last_words()}")
            time.sleep(0.02)
        self.commands = [line.strip() for line in self.said.partition(HEADING)[2].splitlines()]


def typed(command, home, password=None):
    """(exit status, what the terminal shows) of a line typed into a shell in the root of the repository."""
    leader, follower = pty.openpty()
    shell = subprocess.Popen(["bash", "--noprofile", "--norc", "-c", command], cwd=ROOT, start_new_session=True,
                             stdin=follower, stdout=follower, stderr=follower,
                             env={"HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin", "TERM": "dumb"})
    os.close(follower)
    shown, until = b"", time.monotonic() + SECONDS
    try:
        while time.monotonic() < until:
            if not select.select([leader], [], [], 1)[0]:
                continue
            try:
                piece = os.read(leader, 65536)
            except OSError:  # nobody has the other end any more
                break
            if not piece:
                break
            shown += piece
            if password is not None and shown.rstrip().endswith(b"ben@demo.example:"):
                os.write(leader, password.encode() + b"\n")
                password = None
        return shell.wait(timeout=1), shown.decode(errors="replace").replace("\r\n", "\n")
    finally:
        shell.kill()
        shell.wait()
        os.close(leader)


def must_say(command, home, words, password=None):
    status, shown = typed(command, home, password)
    assert status == 0, f"{command}: exit {status}\n{shown}"
    for word in words:
        assert word in shown, f"{command}: no {word!r} in\n{shown}"
    return shown


def try_them(data, home, step, words):
    """A start of the demo, where the third command is `step` and its answer holds `words`."""
    with Demo(data) as demo:
        assert len(demo.commands) == 3, demo.commands
        fetch, login, third = demo.commands
        for command in (login, third):
            assert (ROOT / command.split()[0]).samefile(binary()), f"{command} is another program"
        assert third.split()[1] == step, f"{third} instead of {step}"
        before = must_say(fetch, home, ["You are the support assistant of a web shop"])
        assert PASSWORD not in must_say(login, home, ["Signed in to ", " as ben@demo.example"], PASSWORD)
        must_say(third, home, words)
        after = must_say(fetch, home, [])
        assert demo.stop() == 0, "the demo did not stop cleanly"
    return before, after


def main():
    if shutil.which("curl") is None:
        print("curl is not installed")
        sys.exit(SKIPPED)
    with scratch("demo") as folder:
        data, softer = pathlib.Path(folder) / "data", "sorry about the trouble"
        home = pathlib.Path(folder) / "home"
        home.mkdir()
        before, after = try_them(data, home, "approve", ["approved"])
        assert softer not in before and before == after, "an approval alone changed what is served"
        before, after = try_them(data, home, "deploy", ["live"])
        assert softer not in before and softer in after, after
        before, after = try_them(data, home, "rollback", ["live"])
        assert softer in before and softer not in after, after
        # Nothing is left to let through or to take back.
        before, after = try_them(data, home, "diff", ["+- Never promise a refund: say that you are sorry"])
        assert before == after
    print("the three commands work as printed, at every start")


if __name__ == "__main__":
    main()
