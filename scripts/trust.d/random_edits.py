"""Random edits against a model: whatever was done to sources, outputs and store, a run ends as a build from scratch.

The model computes every output from the sources directly. A seed decides everything; a failure prints it.
"""

import hashlib
import mmap
import os
import random
import shutil
import tempfile
import time

import layout
import tracing
from catalogue import Failed, check, fault

QUICK_EDITS = 300
EDITS = 100_000

FILES = ["a.txt", "b.txt"] + [f"d/{name}" for name in "cdefghijkl"]
"""What a project begins with; files of the folder come and go."""


@fault("EDITS", "100,000 seeded edits of sources, outputs, store and pipeline, many of a kind that hides from time "
       "stamps, with runs killed and edits during runs",
       "after every batch the outputs are those of a build from scratch, and nothing known is executed again")
def random_edits(lab):
    """Anything at all happens, in any order."""
    wanted = lab.options.edits or (QUICK_EDITS if lab.quick else EDITS)
    seed = lab.options.seed if lab.options.seed is not None else time.time_ns() % 1_000_000
    place = tempfile.mkdtemp(prefix="lemma-trust-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    lab.cleanup.callback(shutil.rmtree, place, ignore_errors=True)
    edits = Edits(lab.project(folder=place), random.Random(seed))
    try:
        while edits.count < wanted:
            edits.batch()
    except Failed as failure:
        raise Failed(
            f"seed {seed}, at edit {edits.count}: {failure}; the last edits: {', '.join(edits.history[-8:])}; replay: "
            f"scripts/trust --only EDITS --seed {seed} --edits {edits.count}") from None
    finally:
        edits.close_map()
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(edits.kinds.items()))
    return f"seed {seed}: {edits.count} edits, {edits.runs} runs compared, {edits.executed} executions ({kinds})"


def digest(value):
    """Some bytes for a value of any size: the model remembers many."""
    return hashlib.sha256(repr(value).encode()).digest()


class Edits:
    def __init__(self, project, rng):
        self.project = project
        self.rng = rng
        self.count = self.runs = self.executed = 0
        self.history = []
        self.kinds = {}
        self.files = {}  # the model: by path, the bytes
        self.taken = 3  # a number in the pipeline file
        self.known = set()  # actions that a run ended with
        self.altered = []  # contents that were altered in the store
        self.earlier = []  # states that were, to go back to
        self.map = None
        self.map_name = None
        self.unique = 0
        for name in FILES:
            self.put(name, self.content())
        self.declare()

    # The model

    def declare(self):
        listing = 'for f in ${in.d}/*; do [ -e "$f" ] || continue; basename "$f"; cat "$f"; done > ${out.o}'
        stages = {
            "join": ("cat ${in.a} ${in.b} > ${out.o}", "a: a.txt, b: b.txt"),
            "upper": ("tr a-z A-Z < ${in.i} > ${out.o}", 'i: "${stages.join.o}"'),
            "list": (listing, "d: d"),
            "copy": ("cp -R ${in.d} ${out.o}", "d: d"),
            "head": (f"head -c {self.taken} ${{in.i}} > ${{out.o}}", 'i: "${stages.join.o}"'),
            "twice": ("cat ${in.i} ${in.i} > ${out.o}", 'i: "${stages.head.o}"'),
            "all": ("cat ${in.u} ${in.l} ${in.t} > ${out.o}",
                    'u: "${stages.upper.o}", l: "${stages.list.o}", t: "${stages.twice.o}"'),
        }
        text = "pipeline: edits\nstages:\n"
        for stage, (script, inputs) in stages.items():
            text += f"  {stage}:\n    run: '{script}'\n    in: {{ {inputs} }}\n    out: {{ o: out/{stage} }}\n"
        self.project.write("lemma.yaml", text)

    def expected(self):
        """By stage: what identifies its action, and its output."""
        join = self.files["a.txt"] + self.files["b.txt"]
        folder = {name[2:].encode(): content for name, content in self.files.items() if name.startswith("d/")}
        listing = b"".join(name + b"\n" + content for name, content in sorted(folder.items()))
        head = join[:self.taken]
        everything = join.upper() + listing + head * 2
        frozen = tuple(sorted(folder.items()))
        return {
            "join": ((self.files["a.txt"], self.files["b.txt"]), join), "upper": (join, join.upper()),
            "list": (frozen, listing), "copy": (frozen, folder), "head": ((join, self.taken), head),
            "twice": (head, head * 2), "all": ((join.upper(), listing, head * 2), everything),
        }

    def content(self):
        self.unique += 1
        letters = "".join(self.rng.choices("abcdefgh\n", k=self.rng.randrange(40)))
        if self.rng.random() < 0.01:
            letters *= 5_000  # Large enough for a file of its own in the store.
        # Some contents come twice, and some are empty.
        return self.rng.choice([b"", b"same\n"]) if self.rng.random() < 0.1 else f"{self.unique}{letters}\n".encode()

    # Batches

    def batch(self):
        for _ in range(min(1 + int(self.rng.expovariate(1 / 7)), 40)):
            kind = self.rng.choices(KINDS, WEIGHTS)[0]
            self.count += 1
            self.history.append(kind.__name__)
            self.kinds[kind.__name__] = self.kinds.get(kind.__name__, 0) + 1
            kind(self)
        self.compare()

    def compare(self):
        expected = self.expected()
        run = self.project.run()
        self.runs += 1
        self.executed += len(run.ran)
        for stage, (_, output) in expected.items():
            found = self._output(stage)
            check(found == output, f"wrong hit: {stage} is {str(found)[:80]} and ought to be {str(output)[:80]}")
        for stage in run.ran:
            identity, output = expected[stage]
            whole = output if isinstance(output, bytes) else b"".join(output.values())
            is_lost = any(content in whole for content in self.altered)
            check((stage, digest(identity)) not in self.known or is_lost, f"{stage} was known and is executed again")
        self.known |= {(stage, digest(identity)) for stage, (identity, _) in expected.items()}
        self.earlier.append(dict(self.files))
        del self.earlier[:-50]

    def _output(self, stage):
        path = self.project.path(f"out/{stage}")
        if stage != "copy":
            return self.project.read(f"out/{stage}")
        return {name: self.project.read(f"out/copy/{os.fsdecode(name)}") for name in os.listdir(os.fsencode(path))}

    # Edits of sources

    def put(self, name, content):
        self.leave(name)
        self.project.write(name, content)
        self.files[name] = content

    def leave(self, name):
        """Before a mapped file is replaced or cut."""
        if self.map_name == name:
            self.close_map()

    def close_map(self):
        if self.map is not None:
            self.map.close()
        self.map = self.map_name = None

    def any_file(self):
        """Seldom the mapped one: a mapping hides its writes only when it is older than a young time stamp."""
        names = sorted(self.files)
        if self.map is not None and self.rng.random() < 0.98:
            names.remove(self.map_name)
        return self.rng.choice(names)

    def write(self):
        self.put(self.any_file(), self.content())

    def write_hidden(self):
        """Other bytes of equal size, in place, with the mtime as it was."""
        name = self.any_file()
        path = self.project.path(name)
        old = self.files[name]
        self.leave(name)
        content = bytes(self.rng.choice(b"ijklmn") if byte != 10 else byte for byte in old)
        times = os.stat(path)
        with open(path, "r+b") as file:
            file.write(content)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        self.files[name] = content

    def replace_older(self):
        name = self.any_file()
        content = self.content()
        self.leave(name)
        path = self.project.write("incoming", content)
        os.utime(path, ns=(10**18, 10**18))
        os.rename(path, self.project.path(name))
        self.files[name] = content

    def append(self):
        name = self.any_file()
        with open(self.project.path(name), "ab") as file:
            file.write(b"more\n")
        self.files[name] += b"more\n"

    def cut(self):
        name = self.any_file()
        self.leave(name)
        self.files[name] = self.files[name][:self.rng.randrange(len(self.files[name]) + 1)]
        os.truncate(self.project.path(name), len(self.files[name]))

    def touch(self):
        moment = self.rng.choice([time.time_ns(), 10**18, 2 * 10**18])
        os.utime(self.project.path(self.any_file()), ns=(moment, moment))

    def swap(self):
        one, other = self.any_file(), self.any_file()
        if one == other:
            return
        self.leave(one)
        self.leave(other)
        paths = self.project.path(one), self.project.path(other), self.project.path("aside")
        os.rename(paths[0], paths[2])
        os.rename(paths[1], paths[0])
        os.rename(paths[2], paths[1])
        self.files[one], self.files[other] = self.files[other], self.files[one]

    def rename(self):
        names = [name for name in sorted(self.files) if name.startswith("d/") and name != self.map_name]
        if names:
            old = self.rng.choice(names)
            new = f"d/{self.rng.choice('mnopqrst')}"
            self.leave(old)
            self.leave(new)
            os.rename(self.project.path(old), self.project.path(new))
            self.files[new] = self.files.pop(old)

    def remove(self):
        names = [name for name in sorted(self.files) if name.startswith("d/") and name != self.map_name]
        if len(names) > 3:
            name = self.rng.choice(names)
            self.leave(name)
            os.remove(self.project.path(name))
            del self.files[name]

    def add(self):
        self.put(f"d/{self.rng.choice('cdefghijklmnopqrst')}", self.content())

    def go_back(self):
        """All sources as they were at some earlier run."""
        if self.earlier:
            state = self.rng.choice(self.earlier)
            for name in set(self.files) - set(state):
                self.leave(name)
                os.remove(self.project.path(name))
                del self.files[name]
            for name, content in state.items():
                if self.files.get(name) != content:
                    self.put(name, content)

    def write_mapped(self):
        """Through a mapping that stays, so that a page which is dirty already changes no time stamp."""
        if self.map is None:
            name = self.any_file()
            if not self.files[name]:
                return
            with open(self.project.path(name), "r+b") as file:
                self.map = mmap.mmap(file.fileno(), len(self.files[name]))
            self.map_name = name
        content = bytearray(self.files[self.map_name])
        where = self.rng.randrange(len(self.map))
        content[where] = self.rng.choice(b"uvwxyz")
        self.map[where] = content[where]
        self.files[self.map_name] = bytes(content)

    def unmap(self):
        self.close_map()

    # Edits of everything else

    def change_pipeline(self):
        self.taken = self.rng.randrange(1, 6)
        self.declare()

    def remove_output(self):
        path = self.project.path(f"out/{self.rng.choice(sorted(self.expected()))}")
        shutil.rmtree(path, ignore_errors=True) if os.path.isdir(path) else os.path.exists(path) and os.remove(path)

    def edit_output(self):
        path = self.project.path(f"out/{self.rng.choice(['join', 'upper', 'list', 'all'])}")
        if os.path.exists(path) and os.path.getsize(path):
            times = os.stat(path)
            with open(path, "r+b") as file:
                file.write(b"!")
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def alter_object(self):
        content = self.rng.choice([output for _, output in self.expected().values() if isinstance(output, bytes)])
        if len(content) > 20:
            for place in layout.places(self.project.store, content):
                layout.overwrite(place, bytes([content[0] ^ 1]) + content[1:])
                self.altered.append(content)

    def kill_run(self):
        number = self.rng.randrange(1, 500)
        passed = 0

        def decide(call):
            nonlocal passed
            passed += call.changes
            return tracing.Kill if call.changes and passed == number else None

        tracing.trace(self.project, "run", decide=decide)

    def edit_during_run(self):
        """The run may end either way; what it records must be true."""
        with self.project.start("run") as running:
            time.sleep(self.rng.random() * 0.05)
            for _ in range(self.rng.randrange(1, 4)):
                self.rng.choice([Edits.write, Edits.write_hidden, Edits.replace_older, Edits.append, Edits.swap])(self)
            ended = running.wait()
        if ended.status != 0:
            ended.failed()

    def rest(self):
        """Long enough for time stamps to be trusted."""
        time.sleep(2.1)


KINDS, WEIGHTS = zip(*{
    Edits.write: 14, Edits.write_hidden: 14, Edits.replace_older: 8, Edits.append: 5, Edits.cut: 5, Edits.touch: 8,
    Edits.swap: 8, Edits.rename: 6, Edits.remove: 4, Edits.add: 4, Edits.go_back: 3, Edits.write_mapped: 10,
    Edits.unmap: 0.2, Edits.change_pipeline: 2, Edits.remove_output: 3, Edits.edit_output: 3, Edits.alter_object: 0.5,
    Edits.kill_run: 0.7, Edits.edit_during_run: 1, Edits.rest: 0.05,
}.items())
