"""What the benchmarks of the real program share: building it, filling a data directory, starting it."""
import http.client
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILT = ROOT / "build/bench"


def build(*targets):
    subprocess.run(["cmake", "--preset", "bench"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", BUILT, *targets], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def machine():
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    return f"machine: {os.cpu_count()} cores, {memory} GiB, load before {os.getloadavg()[0]:.1f}"


def serve(data, prefix=()):
    """The process and its port, as soon as it listens."""
    environment = dict(os.environ, IMPRIMATUR_ADMIN_PASSWORD="not needed here")
    process = subprocess.Popen([*prefix, str(BUILT / "imprimatur"), "serve", "--data", str(data), "--listen",
                                "127.0.0.1:0", "--threads", "1"], env=environment, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    for line in process.stdout:
        listening = re.search(r"Listening on http://127\.0\.0\.1:(\d+)", line)
        if listening:
            return process, int(listening.group(1))
    sys.exit(f"the server ended with {process.wait()}")


def populated(directory, prompts):
    """The API key of a data directory with that many live prompts, made when it is not there."""
    said = pathlib.Path(directory) / f"populated-{prompts}.json"
    if not said.exists():
        print(f"filling {directory} with {prompts} prompts ...", flush=True)
        out = subprocess.run([BUILT / "populate", directory, str(prompts)], check=True, capture_output=True,
                             text=True).stdout
        said.write_text(out)
    return json.loads(said.read_text())["key"]


def writes_open(port):
    """By what the server says of itself."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    client.request("GET", "/readyz")
    answer = client.getresponse()
    text = answer.read().decode()
    client.close()
    if "refused" in text:
        sys.exit(f"the server does not open writes: {text}")
    return answer.status == 200 and "verifying" not in text
