#!/usr/bin/env python3
"""The start of the real program with 100,000 prompts, and its memory when idle.

  ./dev bench start [--prompts N] [--runs N] [--data DIR]

Fills a data directory (kept with --data, and used again), starts `imprimatur serve` on it and takes the time to
the first prompt that an application gets and to open writes, which wait for the check of the whole journal; beside
it, how long SQLite takes to read the same rows in one statement. Then the resident memory of a server on a new,
empty data directory, ten seconds after its start. Exit 1 when a bar (2 s to the first served read, 40 MiB idle) is missed.
"""
import argparse
import http.client
import pathlib
import re
import sqlite3
import statistics
import sys
import tempfile
import time

from program import build, machine, populated, serve, writes_open

FIRST_READ_BAR, IDLE_BAR = 2.0, 40.0


def answered(port, path, headers=None):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    client.request("GET", path, headers=headers or {})
    status = client.getresponse().status
    client.close()
    return status


def start_once(data, key):
    begin = time.monotonic()
    process, port = serve(data)
    try:
        status = answered(port, "/api/v1/runtime/prompts/support/reply-0000007", {"Authorization": f"Bearer {key}"})
        first = time.monotonic() - begin
        if status != 200:
            sys.exit(f"the first read was answered with {status}")
        while not writes_open(port):
            time.sleep(0.05)
        return first, time.monotonic() - begin
    finally:
        process.terminate()
        process.wait(60)


def read_with_sqlite(data):
    begin = time.monotonic()
    database = sqlite3.connect(f"file:{data}/imprimatur.db?mode=ro", uri=True)
    rows = database.execute("SELECT r.id, r.digest, a.name, c.content FROM releases r JOIN artifacts a ON a.project = r.project "
                            "AND a.id = r.artifact JOIN contents c ON c.project = r.project AND c.artifact = r.artifact "
                            "AND c.number = r.version").fetchall()
    database.close()
    return len(rows), time.monotonic() - begin


def idle_memory():
    with tempfile.TemporaryDirectory() as directory:
        process, port = serve(directory + "/data")
        try:
            time.sleep(10)
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        finally:
            process.terminate()
            process.wait(60)
    return {name: int(re.search(rf"^{name}:\s+(\d+) kB", status, re.M).group(1)) / 1024
            for name in ("VmRSS", "RssAnon", "RssFile")}


def measure(data, options):
    key = populated(data, options.prompts)
    count, beside = read_with_sqlite(data)
    runs = [start_once(data, key) for _ in range(options.runs)]
    first = [run[0] for run in runs]
    print(f"first served read        {statistics.median(first):6.2f} s ({min(first):.2f} to {max(first):.2f}, {options.runs} "
          f"starts; bar {FIRST_READ_BAR} s), {statistics.median(first) / beside:.1f} times reading the {count} rows with SQLite")
    opened = [run[1] for run in runs]
    print(f"writes open              {statistics.median(opened):6.2f} s ({min(opened):.2f} to {max(opened):.2f})")
    return statistics.median(first) <= FIRST_READ_BAR


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--data", help="a directory to fill, or one that was filled before")
    options = parser.parse_args()
    build("imprimatur", "populate")
    print(f"{machine()}; {options.prompts} prompts")
    if options.data:
        met = measure(options.data, options)
    else:
        with tempfile.TemporaryDirectory() as directory:
            met = measure(directory, options)
    idle = idle_memory()
    print(f"resident memory, idle    {idle['VmRSS']:6.1f} MiB, of which {idle['RssAnon']:.1f} are its own and "
          f"{idle['RssFile']:.1f} mapped files (bar {IDLE_BAR:.0f} MiB)")
    met = met and idle["VmRSS"] <= IDLE_BAR
    print("the bars are met" if met else "a bar is MISSED")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
