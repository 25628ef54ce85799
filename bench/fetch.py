#!/usr/bin/env python3
"""The runtime fetch beside nginx `return 200` with the same body, on the same core.

  ./dev bench fetch [--prompts N] [--pairs N] [--seconds S] [--connections N] [--names N] [--no-callgrind]

The server runs pinned to core 0 and wrk to core 1, over loopback with keep-alive, in alternating pairs. Prints the
median ratio of requests per second with its spread, the same per second of the server's own processor time (which a
busy machine disturbs less), both 99th percentiles, instructions a request, and memory a prompt. Exit 1 when the bar
(at least 1.0 times nginx, p99 no worse) is missed.
"""
import argparse
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

ROOT = pathlib.Path(__file__).resolve().parent.parent
SERVER_CORE, LOAD_CORE = "0", "1"
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


def fetch_raw(port, key, name):
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(request(key, name))
        data = b""
        while b"\r\n\r\n" not in data:
            data += client.recv(65536)
        head, body = data.split(b"\r\n\r\n", 1)
        length = int(re.search(rb"Content-Length: (\d+)", head).group(1))
        while len(body) < length:
            body += client.recv(65536)
        if not head.startswith(b"HTTP/1.1 200"):
            sys.exit(f"port {port} answers {head[:60]!r}")
        return body


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


def start_ours(binary, prompts, prefix):
    process = subprocess.Popen(prefix + [str(binary), str(prompts), "1"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    if not line:
        sys.exit("fetch_server did not start")
    return process, json.loads(line)


def start_nginx(directory, body, prefix):
    port = free_port()
    config = pathlib.Path(directory) / "nginx.conf"
    config.write_text(NGINX.format(dir=directory, port=port, body=body))
    process = subprocess.Popen(prefix + [shutil.which("nginx") or "/usr/sbin/nginx", "-p", directory, "-c", str(config)])
    wait_for(port, process)
    return process, port


def load(port, requests, options):
    out = subprocess.run(["taskset", "-c", LOAD_CORE, str(ROOT / "build/bench/http_load"), str(port),
                          str(options.connections), str(options.seconds), requests],
                         check=True, capture_output=True, text=True).stdout
    said = json.loads(out)
    return said["requests"] / said["seconds"], said["requests"], said["p99"]


def measure(port, pid, requests, options):
    before = cpu_seconds(pid)
    rate, count, p99 = load(port, requests, options)
    return {"rate": rate, "p99": p99, "per_cpu": count / max(cpu_seconds(pid) - before, 1e-9)}


def instructions(start, stop, key):
    """Per request: the difference between a long and a short run, so that start and load fall out."""
    totals = []
    for count in (500, 3000):
        with tempfile.TemporaryDirectory() as directory:
            out = f"{directory}/callgrind"
            process, port = start(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "-q"], directory)
            with socket.create_connection(("127.0.0.1", port)) as client:
                message = request(key, 7)
                size = None
                for _ in range(count):
                    client.sendall(message)
                    data = client.recv(65536)
                    while size is None and b"\r\n\r\n" not in data:
                        data += client.recv(65536)
                    if size is None:
                        head = data.split(b"\r\n\r\n", 1)[0]
                        size = len(head) + 4 + int(re.search(rb"Content-Length: (\d+)", head).group(1))
                    while len(data) < size:
                        data += client.recv(65536)
            stop(process)
            totals.append(int(re.search(r"^(?:summary|totals): (\d+)", pathlib.Path(out).read_text(), re.M).group(1)))
    return (totals[1] - totals[0]) / 2500


def end_ours(process):
    process.stdin.close()
    process.wait(60)


def end_nginx(process):
    process.terminate()
    process.wait(60)


def build():
    subprocess.run(["cmake", "--preset", "bench"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", "build/bench", "fetch_server"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return ROOT / "build/bench/fetch_server"


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
    print(f"p99, microseconds        ours {p99[0]:9.0f}   nginx {p99[1]:9.0f}")
    return statistics.median(ratios) >= 1.0 and p99[0] <= p99[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=10_000)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--names", type=int, default=1000, help="how many of the prompts are asked for in turn")
    parser.add_argument("--binary", type=pathlib.Path, help="a fetch_server that is built already")
    parser.add_argument("--no-callgrind", action="store_true")
    options = parser.parse_args()
    binary = options.binary or build()
    pin = ["taskset", "-c", SERVER_CORE]
    names = min(options.names, options.prompts)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    print(f"machine: {os.cpu_count()} cores, {memory} GiB, load before {os.getloadavg()[0]:.1f}; "
          f"{options.prompts} prompts, {names} names asked for, {options.connections} connections")
    with tempfile.TemporaryDirectory() as directory:
        ours, hello = start_ours(binary, options.prompts, pin)
        body = fetch_raw(hello["port"], hello["key"], 0).decode()
        nginx, nginx_port = start_nginx(directory, body, pin)
        try:
            if fetch_raw(nginx_port, hello["key"], 0).decode() != body:
                sys.exit("nginx does not answer the same bytes")
            requests = f"{directory}/requests"
            stride = options.prompts // names
            pathlib.Path(requests).write_bytes(b"".join(request(hello["key"], i * stride) for i in range(names)))
            runs = {"ours": [], "nginx": []}
            for pair in range(options.pairs):
                order = [("ours", hello["port"], ours.pid), ("nginx", nginx_port, nginx.pid)]
                for name, port, pid in order if pair % 2 == 0 else reversed(order):
                    runs[name].append(measure(port, pid, requests, options))
        finally:
            end_ours(ours)
            end_nginx(nginx)
    met = report(runs["ours"], runs["nginx"], options)
    print(f"memory a prompt          {hello['readyBytes']} bytes of answer + {hello['overheadBytes']:.0f} (bar 300)")
    if not options.no_callgrind:
        key = hello["key"]

        def ours_under(prefix, _):
            process, said = start_ours(binary, 100, prefix)
            return process, said["port"]

        own = instructions(ours_under, end_ours, key)
        other = instructions(lambda prefix, place: start_nginx(place, body, prefix), end_nginx, key)
        print(f"instructions a request   ours {own:9.0f}   nginx {other:9.0f}   (callgrind, one connection)")
    print("the bar is met" if met else "the bar is MISSED: at least 1.0 times nginx and p99 no worse")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
