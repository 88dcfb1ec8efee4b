"""What the scripts of this folder share: the timer, the machine's peak and facts, and how results are written."""

import json
import os
import pathlib
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TIMER = os.environ.get("CORE_TIMER") or str(HERE.parents[1] / ".build/release/core-timer")
PRECISIONS = ["float32", "bfloat16"]


def require_timer():
    if not os.path.exists(TIMER):
        sys.exit(f"error: {TIMER} is missing: swift build -c release --static-swift-stdlib --product core-timer")


def environment(threads):
    """Every thread pool of the peers gets the same number of threads."""
    names = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"]
    return dict(os.environ, **{name: str(threads) for name in names}, TOKENIZERS_PARALLELISM="false")


def ask(words, threads=1, extra={}):
    """Runs a side to its end and reads the JSON in its last line."""
    words = [str(word) for word in words]
    done = subprocess.run(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(environment(threads), **extra))
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        sys.exit(f"error: {shlex.join(words)} ended with {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return json.loads(lines[-1])


class Talker:
    """A side that stays alive and answers lines, so that sides can take turns within a second."""

    def __init__(self, words, threads):
        self.words = words
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(threads))

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer or "error" in json.loads(answer):
            sys.exit(f"error: {shlex.join(self.words)} does not answer {line!r}: {answer}")
        return json.loads(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def build(source, words, folder):
    """Compiles a C file of this folder into `folder`; returns the program."""
    program = os.path.join(folder, pathlib.Path(source).stem)
    command = [os.environ.get("CC", "gcc"), *words, str(HERE / source), "-o", program, "-lm"]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"error: {shlex.join(command)} failed\n{done.stderr}")
    return program


def peak(threads):
    """GFLOP/s that registers alone allow, by precision."""
    with tempfile.TemporaryDirectory() as folder:
        found = ask([build("peak.c", ["-O2", "-march=native", "-pthread"], folder), threads])
    return {precision: found.get(precision, found["float32"]) for precision in PRECISIONS}


def peak_memory():
    """The greatest resident memory of this process so far, in MiB."""
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024


def machine(threads):
    """What the figures were taken on; the load is that of the minute before."""
    def field(path, name):
        for line in open(path):
            if line.startswith(name):
                return line.split(":", 1)[1].strip()
        return "unknown"

    return {
        "processor": field("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory_gib": round(int(field("/proc/meminfo", "MemTotal").split()[0]) / 2**20, 1),
        "kernel": platform.release(),
        "threads": threads,
        "load_before": os.getloadavg()[0],
    }


def describe(facts):
    """One line of the facts, with a warning where others were at work."""
    line = (f"{facts['processor']}, {facts['cores']} cores, {facts['memory_gib']} GiB, Linux {facts['kernel']}, "
            f"{facts['threads']} threads")
    if facts["load_before"] > 0.5:
        line += f"; NOT QUIET: load {facts['load_before']:.2f} before the run"
    return line


def summary(values):
    return {"median": statistics.median(values), "best": max(values), "count": len(values)}


def table(header, rows):
    """A Markdown table; the first column holds words, the others numbers."""
    lines = ["| " + " | ".join(header) + " |", "| --- |" + " ---: |" * (len(header) - 1)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def figure(value):
    """Three digits that count, with thousands apart."""
    if value is None:
        return ""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def say(text):
    print(text, file=sys.stderr, flush=True)


def finish(text, results, path):
    print(text)
    if path:
        with open(path, "w") as file:
            json.dump(results, file, indent=2)
            file.write("\n")
