#!/usr/bin/env python3
"""Import of 10,000 prompts into a data directory, beside cp -r and fsync of the same files. Usage: import.py [PROMPTS] [PAIRS]"""
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/e2e"))
from driver import Server, binary, people, scratch  # noqa: E402

WILD = pathlib.Path(os.environ.get("IMPRIMATUR_PROMPTS", ""))
BAR = 10.0


def texts(count):
    """Real prompts where they are at hand, each made different; else text of the same size."""
    wild = [json.loads(line)["content"] for line in WILD.open()] if WILD.is_file() else ["Answer {{question}} kindly.\n" * 20]
    return [f"{wild[i % len(wild)]}\n<!-- {i} -->\n" for i in range(count)]


def write_files(folder, count):
    for i, text in enumerate(texts(count)):
        path = folder / f"f{i % 100}" / f"p{i}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def copy_durably(source, target):
    """cp -r, then fsync of every file and folder."""
    start = time.monotonic()
    subprocess.run(["cp", "-r", source, target], check=True)
    for folder, _, files in os.walk(target):
        for path in [folder, *(os.path.join(folder, name) for name in files)]:
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
    return time.monotonic() - start


def data_directory(path):
    """A directory with one empty project, as a server leaves it."""
    server = Server(path)
    try:
        server.wait_for_writes()
        people(server.port, "bench", {})
    finally:
        server.stop()


def import_all(source, data):
    start = time.monotonic()
    done = subprocess.run([binary(), "import", source, "--data", data, "--project", "bench", "--json"],
                          stdout=subprocess.PIPE, text=True)
    took = time.monotonic() - start
    report = json.loads(done.stdout)
    return took, report["created"], report["skipped"]


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    pairs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    ratios = []
    with scratch("bench") as folder:
        folder = pathlib.Path(folder)
        write_files(folder / "prompts", count)
        for pair in range(pairs):
            copied = copy_durably(folder / "prompts", folder / f"copy{pair}")
            data = folder / f"data{pair}"
            data_directory(data)
            took, created, skipped = import_all(folder / "prompts", data)
            ratios.append(took / copied)
            print(f"import {took:.2f} s ({created} created, {skipped} skipped), cp -r and fsync {copied:.2f} s: "
                  f"{took / copied:.2f} times")
            shutil.rmtree(folder / f"copy{pair}")
            if created + skipped != count:
                sys.exit(f"{created + skipped} of {count} prompts are accounted for")
    median = statistics.median(ratios)
    print(f"{count} prompts, {os.cpu_count()} cores: median {median:.2f} times (from {min(ratios):.2f} to "
          f"{max(ratios):.2f}); bar {BAR:.0f}")
    sys.exit(0 if median <= BAR else 1)


if __name__ == "__main__":
    main()
