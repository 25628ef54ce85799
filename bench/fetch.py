#!/usr/bin/env python3
"""The runtime fetch beside nginx `return 200` with the same body, on the same core.

  ./dev bench fetch [--prompts N] [--pairs N] [--seconds S] [--connections N] [--names N] [--generated]
                    [--no-callgrind]

`imprimatur serve` with one I/O thread runs pinned to core 0 and the load (http_load.cc) to core 1, over loopback
with keep-alive, in alternating pairs with nginx. Prints the median ratio of requests per second with its spread,
the same per second of the server's own processor time (which a busy machine disturbs less), the 99th percentiles,
instructions a request, and memory a prompt. --generated: the HTTP server and delivery with prompts that stand in no store, for numbers
of them that take long to deploy. Exit 1 when the bar (at least 1.0 times nginx, p99 no worse) is missed.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from program import BUILT, build, machine, populated, serve, writes_open

SERVER_CORE, LOAD_CORE = "0", "1"
MEMORY_BAR = 300  # bytes a prompt beside its answer
TICKS = os.sysconf("SC_CLK_TCK")

NGINX = """daemon off; master_process off; worker_processes 1; pid {dir}/pid; error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 2000000000; keepalive_timeout 75s; default_type application/json;
  client_body_temp_path {dir}/a; proxy_temp_path {dir}/b; fastcgi_temp_path {dir}/c; uwsgi_temp_path {dir}/d;
  scgi_temp_path {dir}/e;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 '{body}'; }} }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answer_to(client, message):
    """Head and body of the answer, which must be a 200."""
    client.sendall(message)
    data = b""
    while b"\r\n\r\n" not in data:
        data += client.recv(65536)
    if not data.startswith(b"HTTP/1.1 200"):
        sys.exit(f"the answer is {data[:60]!r}")
    head = data.index(b"\r\n\r\n") + 4
    size = head + int(re.search(rb"Content-Length: (\d+)", data).group(1))
    while len(data) < size:
        data += client.recv(65536)
    return data


def fetch_raw(port, key, name):
    with socket.create_connection(("127.0.0.1", port)) as client:
        return answer_to(client, request(key, name)).split(b"\r\n\r\n", 1)[1]


def request(key, name):
    return (f"GET /api/v1/runtime/prompts/support%2Freply-{name:07d} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {key}\r\n\r\n").encode()


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def wait_for(port, process):
    for _ in range(1200):
        if process.poll() is not None:
            sys.exit(f"a server ended with {process.returncode} before it listened")
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nothing listens on port {port}")


def start_generated(prompts, prefix):
    process = subprocess.Popen([*prefix, str(BUILT / "fetch_server"), str(prompts), "1"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    if not line:
        sys.exit("fetch_server did not start")
    return process, json.loads(line)


def start_program(data, prompts, prefix):
    key = populated(data, prompts)
    process, port = serve(data, prefix)
    while not writes_open(port):
        time.sleep(0.05)
    return process, {"port": port, "key": key}


def memory_of(prompts):
    process, said = start_generated(prompts, [])
    end(process, said["port"])
    return said


def start_nginx(directory, body, prefix):
    port = free_port()
    config = pathlib.Path(directory) / "nginx.conf"
    config.write_text(NGINX.format(dir=directory, port=port, body=body))
    process = subprocess.Popen(prefix + [shutil.which("nginx") or "/usr/sbin/nginx", "-p", directory, "-c", str(config)])
    wait_for(port, process)
    return process, {"port": port, "key": "nobody asks"}


def load(port, requests, options):
    out = subprocess.run(["taskset", "-c", LOAD_CORE, str(BUILT / "http_load"), str(port),
                          str(options.connections), str(options.seconds), requests],
                         check=True, capture_output=True, text=True).stdout
    said = json.loads(out)
    return said["requests"] / said["seconds"], said["requests"], said["p99"]


def measure(port, pid, requests, options):
    before = cpu_seconds(pid)
    rate, count, p99 = load(port, requests, options)
    return {"rate": rate, "p99": p99, "per_cpu": count / max(cpu_seconds(pid) - before, 1e-9)}


def instructions(start):
    """Per request: the difference between a long and a short run, so that start and load fall out."""
    totals = []
    for count in (500, 3000):
        with tempfile.TemporaryDirectory() as directory:
            out = f"{directory}/callgrind"
            process, hello = start(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "-q"], directory)
            with socket.create_connection(("127.0.0.1", hello["port"])) as client:
                message = request(hello["key"], 7)
                size = len(answer_to(client, message))
                for _ in range(count):
                    client.sendall(message)
                    left = size
                    while left > 0:
                        left -= len(client.recv(left))
            end(process, hello["port"])
            totals.append(int(re.search(r"^(?:summary|totals): (\d+)", pathlib.Path(out).read_text(), re.M).group(1)))
    return (totals[1] - totals[0]) / 2500


def end(process, port):
    """fetch_server ends with its input, the others when they are told to: nginx looks at the signal when an event comes,
    and under valgrind the signal can come just before it waits for one."""
    if process.stdin is not None:
        process.stdin.close()
    for _ in range(30):
        if process.stdin is None:
            process.terminate()
        try:
            process.wait(2)
            return
        except subprocess.TimeoutExpired:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 0.2).close()
    process.kill()
    sys.exit("a server did not end")


def spread(values):
    return f"{min(values):.2f} to {max(values):.2f}"


def report(ours, theirs, options):
    ratios = [a["rate"] / b["rate"] for a, b in zip(ours, theirs)]
    per_cpu = [a["per_cpu"] / b["per_cpu"] for a, b in zip(ours, theirs)]
    p99 = [statistics.median(run["p99"] for run in runs) for runs in (ours, theirs)]
    print(f"requests per second      ours {statistics.median(r['rate'] for r in ours):9.0f}   "
          f"nginx {statistics.median(r['rate'] for r in theirs):9.0f}   "
          f"ratio {statistics.median(ratios):.2f} ({spread(ratios)}, {options.pairs} pairs)")
    print(f"per second of processor  ours {statistics.median(r['per_cpu'] for r in ours):9.0f}   "
          f"nginx {statistics.median(r['per_cpu'] for r in theirs):9.0f}   "
          f"ratio {statistics.median(per_cpu):.2f} ({spread(per_cpu)})")
    tails = [a["p99"] / b["p99"] for a, b in zip(ours, theirs)]
    print(f"p99, microseconds        ours {p99[0]:9.0f}   nginx {p99[1]:9.0f}   "
          f"ratio {statistics.median(tails):.2f} ({spread(tails)})")
    return statistics.median(ratios) >= 1.0 and p99[0] <= p99[1]


def start_ours(data, prompts, prefix, options):
    return start_generated(prompts, prefix) if options.generated else start_program(data, prompts, prefix)


def compare(directory, options):
    """Whether the bar is met, and the body that both answered."""
    pin = ["taskset", "-c", SERVER_CORE]
    names = min(options.names, options.prompts)
    ours, hello = start_ours(directory + "/data", options.prompts, pin, options)
    body = fetch_raw(hello["port"], hello["key"], 0).decode()
    nginx, there = start_nginx(directory, body, pin)
    try:
        if fetch_raw(there["port"], hello["key"], 0).decode() != body:
            sys.exit("nginx does not answer the same bytes")
        requests = f"{directory}/requests"
        stride = options.prompts // names
        pathlib.Path(requests).write_bytes(b"".join(request(hello["key"], i * stride) for i in range(names)))
        runs = {"ours": [], "nginx": []}
        for pair in range(options.pairs):
            order = [("ours", hello["port"], ours.pid), ("nginx", there["port"], nginx.pid)]
            for name, port, pid in order if pair % 2 == 0 else reversed(order):
                runs[name].append(measure(port, pid, requests, options))
    finally:
        end(ours, hello["port"])
        end(nginx, there["port"])
    return report(runs["ours"], runs["nginx"], options), body


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=10_000)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--names", type=int, default=10_000, help="how many of the prompts are asked for in turn")
    parser.add_argument("--generated", action="store_true", help="prompts that stand in no store")
    parser.add_argument("--no-callgrind", action="store_true")
    options = parser.parse_args()
    build("imprimatur", "populate", "fetch_server", "http_load")
    print(f"{machine()}; {options.prompts} prompts, {min(options.names, options.prompts)} names asked for, "
          f"{options.connections} connections")
    with tempfile.TemporaryDirectory() as directory:
        met, body = compare(directory, options)
        memory = memory_of(options.prompts)
        small = memory["overheadBytes"] <= MEMORY_BAR
        print(f"memory a prompt          {memory['readyBytes']} bytes of answer + {memory['overheadBytes']:.0f} "
              f"(bar {MEMORY_BAR}: {'met' if small else 'MISSED'})")
        if not options.no_callgrind:
            own = instructions(lambda prefix, _: start_ours(directory + "/few", 100, prefix, options))
            other = instructions(lambda prefix, place: start_nginx(place, body, prefix))
            print(f"instructions a request   ours {own:9.0f}   nginx {other:9.0f}   (callgrind, one connection)")
    print("the bar is met" if met else "the bar is MISSED: at least 1.0 times nginx and p99 no worse")
    return 0 if met and small else 1


if __name__ == "__main__":
    sys.exit(main())
