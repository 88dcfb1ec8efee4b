#!/usr/bin/env python3
"""Times Lemma beside Ninja and doit on a graph of trivial commands, all sides in turn in one run.

The graph has ten layers: the first stages copy the first line of a source file, every later stage
takes `cksum` of one to three stages of the layer before. Each row of the table is a median of wall
times, with the ratio to Ninja; nothing is compared across machines or across runs.

    Benchmarks/engine/graph.py                    # 10,000 stages
    Benchmarks/engine/graph.py --stages 1000 --repeat 5
    Benchmarks/engine/graph.py --only noop,start --json
    Benchmarks/engine/graph.py --peers ninja

Needs `ninja` (Debian package ninja-build) and a release build of `lemma`, or LEMMA_PROGRAM; `doit`, which looks at
contents as Lemma does, takes part where it is installed (PyPI) or named by DOIT_PROGRAM.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

LAYERS = 10
PROGRAM = os.environ.get("LEMMA_PROGRAM") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "../../.build/release/lemma")


def graph(stages, seed=1):
    """The stages in order: (name, command with {in} and {out}, inputs, output)."""
    chance = random.Random(seed)
    width = max(1, stages // LAYERS)
    found = []
    for layer in range(LAYERS):
        for place in range(width):
            output = f"out/{layer}-{place}.txt"
            if layer == 0:
                inputs = [f"src/{place}.txt"]
            else:
                near = range(max(0, place - 3), min(width, place + 4))
                count = min(len(near), chance.choice([1, 1, 2, 3]))
                inputs = [f"out/{layer - 1}-{number}.txt" for number in sorted(chance.sample(list(near), count))]
            found.append((f"s{layer}-{place}", layer, inputs, output))
    return found


def write_lemma(folder, stages):
    names = {output: name for name, _, _, output in stages}
    with open(os.path.join(folder, "lemma.yaml"), "w") as file:
        file.write("pipeline: graph\nsandbox: off\nstages:\n" if has_sandbox() else "pipeline: graph\nstages:\n")
        for name, layer, inputs, output in stages:
            words = " ".join("${in.i%d}" % number for number in range(len(inputs)))
            command = f"head -n 1 {words}" if layer == 0 else f"cksum {words}"
            where = ", ".join(
                f"i{number}: {place}" if layer == 0 else 'i%d: "${stages.%s.o}"' % (number, names[place])
                for number, place in enumerate(inputs))
            file.write(f"  {name}: {{ run: '{command} > ${{out.o}}', in: {{ {where} }}, out: {{ o: {output} }} }}\n")


def write_ninja(folder, stages):
    with open(os.path.join(folder, "build.ninja"), "w") as file:
        file.write("rule head\n  command = head -n 1 $in > $out\nrule sum\n  command = cksum $in > $out\n")
        for _, layer, inputs, output in stages:
            file.write(f"build {output}: {'head' if layer == 0 else 'sum'} {' '.join(inputs)}\n")


def write_doit(folder, stages):
    tasks = [(name, f"{'head -n 1' if layer == 0 else 'cksum'} {' '.join(inputs)} > {output}", inputs, output)
             for name, layer, inputs, output in stages]
    with open(os.path.join(folder, "tasks.json"), "w") as file:
        json.dump(tasks, file)
    with open(os.path.join(folder, "dodo.py"), "w") as file:
        file.write("""import json

DOIT_CONFIG = {"reporter": "zero", "num_process": 2}


def task_stage():
    for name, command, inputs, output in json.load(open("tasks.json")):
        yield {"name": name, "actions": [command], "file_dep": inputs, "targets": [output]}
""")


def has_sandbox():
    text = subprocess.run([PROGRAM, "run", "--help"], capture_output=True, text=True).stdout
    return "--sandbox" in text


class Side:
    """One tool in a folder of its own."""

    def __init__(self, root, name, words, stages):
        self.folder = os.path.join(root, name)
        self.words = words
        os.makedirs(os.path.join(self.folder, "src"))
        for place in range(sum(1 for stage in stages if stage[1] == 0)):
            with open(self.path(f"src/{place}.txt"), "w") as file:
                file.write(f"line one of {place}\nline two of {place}\n")
        if name == "lemma":
            return write_lemma(self.folder, stages)
        (write_ninja if name == "ninja" else write_doit)(self.folder, stages)
        os.makedirs(self.path("out"), exist_ok=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self):
        """Wall seconds, CPU seconds of it and its children, peak memory of it in MiB."""
        environment = dict(os.environ, LEMMA_TRUST="1")
        start = time.monotonic()
        process = subprocess.Popen(
            self.words, cwd=self.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        if status != 0:
            sys.exit(f"{self.words} ended with {status} in {self.folder}")
        return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024

    def outputs(self):
        return {name: os.stat(self.path("out/" + name)).st_mtime_ns for name in os.listdir(self.path("out"))}


def edit(side, place, line, text):
    path = side.path(f"src/{place}.txt")
    lines = open(path).read().split("\n")
    lines[line] = text
    with open(path, "w") as file:
        file.write("\n".join(lines))


def sources(side):
    return os.listdir(side.path("src"))


ROWS = {
    "noop": "nothing to do",
    "leaf": "one source changed in its first line",
    "cutoff": "one source changed in its second line",
    "touch": "all sources touched",
    "wiped": "1,000 outputs removed",
}


def disturb(row, side, turn):
    middle = len(sources(side)) // 2
    if row == "leaf":
        edit(side, middle, 0, f"changed {turn}")
    elif row == "cutoff":
        edit(side, middle, 1, f"changed {turn}")
    elif row == "touch":
        for name in sources(side):
            os.utime(side.path("src/" + name))
    elif row == "wiped":
        for name in sorted(os.listdir(side.path("out")))[:1000]:
            os.unlink(side.path("out/" + name))


def settle():
    """A file that is younger than two seconds is read again, whatever its stamp says."""
    time.sleep(2.2)


def measure(row, sides, repeat):
    walls = {side: [] for side in sides}
    peaks = {side: 0.0 for side in sides}
    for turn in range(repeat):
        for name, side in sides.items():
            disturb(row, side, turn)
        if row != "noop":
            settle()
        for name, side in sides.items():
            wall, _, peak = side.run()
            walls[name].append(wall)
            peaks[name] = max(peaks[name], peak)
        settle()
        for side in sides.values():
            side.run()  # Stamps that were young are old now; the next turn begins from rest.
    return {name: {"wall": statistics.median(walls[name]), "peak_mib": peaks[name]} for name in sides}


def make_sides(root, stages, peers):
    words = {
        "lemma": [PROGRAM, "run", "-q", "-j", "2"],
        "ninja": ["ninja", "-j", "2"],
        "doit": [os.environ.get("DOIT_PROGRAM", "doit")],
    }
    os.makedirs(root, exist_ok=True)
    return {name: Side(root, name, words[name], stages) for name in ["lemma"] + peers}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stages", type=int, default=10000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--only", default="cold,start," + ",".join(ROWS))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", action="store_true", help="leave the folder and say where it is")
    parser.add_argument("--peers", default="ninja,doit", help="default: ninja, and doit where it is there")
    options = parser.parse_args()
    peers = [peer for peer in options.peers.split(",")
             if peer != "doit" or shutil.which(os.environ.get("DOIT_PROGRAM", "doit"))]
    root = tempfile.mkdtemp(prefix="graph-")
    results = {}
    wanted = options.only.split(",")
    try:
        if "start" in wanted:
            sides = make_sides(os.path.join(root, "ten"), graph(10), peers)
            for side in sides.values():
                side.run()
            settle()
            for side in sides.values():
                side.run()
            results["start: nothing to do, 10 stages"] = measure("noop", sides, max(options.repeat, 9))
        stages = graph(options.stages)
        sides = make_sides(root, stages, peers)
        cold = {}
        for name, side in sides.items():
            wall, cpu, peak = side.run()
            cold[name] = {"wall": wall, "cpu": cpu, "peak_mib": peak}
        if "cold" in wanted:
            results[f"cold, {len(stages)} stages"] = cold
        settle()
        for side in sides.values():
            side.run()
        for row, words in ROWS.items():
            if row in wanted:
                results[f"{row}: {words}"] = measure(row, sides, options.repeat)
    finally:
        if options.keep:
            print(root, file=sys.stderr)
        else:
            shutil.rmtree(root)
    if options.json:
        print(json.dumps(results, indent=2))
        return
    names = ["lemma"] + peers
    print(f"{'work':45}" + "".join(f" {name:>10}" for name in names) + f" {'ratio':>7}  peak MiB")
    for row, result in results.items():
        ratio = result["lemma"]["wall"] / result[peers[0]]["wall"]
        print(f"{row:45}" + "".join(f" {result[name]['wall'] * 1000:8.0f}ms" for name in names)
              + f" {ratio:7.2f}  " + " / ".join(f"{result[name]['peak_mib']:.0f}" for name in names))


if __name__ == "__main__":
    main()
