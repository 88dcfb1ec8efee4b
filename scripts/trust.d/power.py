"""Power cuts: a file system in an image file, copied while it is mounted and dirty, and the copy mounted.

The copy has what had reached the disk, in the order in which it got there; what waited in memory is lost. Mounting
replays the file system's journal, as after a real cut.
"""

import os
import subprocess
import time

import layout
import tracing
from catalogue import Failed, Skipped, check
from matrix import count_calls
from samples import CHAIN, chain, chain_output, check_end, marked, single

KINDS = {"ext4": 96, "xfs": 320, "btrfs": 160}
"""File systems, and the size of an image in MiB."""


def cut_after_success(lab):
    moments = [0, 1] if lab.quick else [0, 1, 3, 6, 30]

    def copies(project, image):
        project.run()
        success = time.monotonic()
        for moment in moments:
            time.sleep(max(0, success + moment - time.monotonic()))
            yield f"{moment} s", set(CHAIN), _copy(image)

    return _on_every_kind(lab, copies, f"at {', '.join(map(str, moments))} s")


def cut_at_calls(lab):
    """A copy before calls that change something, of one run; each is checked for what had been reported by then."""
    most = 6 if lab.quick else 60

    def copies(project, image):
        undisturbed = lab.project(text=chain())
        undisturbed.write("in.txt", "0\n")
        total = count_calls(undisturbed, lambda call: call.changes)
        points = {1 + round(step * (total - 1) / (most - 1)) for step in range(most)}
        taken = []
        count = 0

        def decide(call):
            nonlocal count
            count += call.changes
            if call.changes and count in points:
                done = {line.split()[1] for line in call.said.splitlines() if line.startswith("done ")}
                taken.append((f"call {count}", done, _copy(image)))

        tracing.trace(project, "run", decide=decide).succeeded()
        yield from taken

    return _on_every_kind(lab, copies, f"before {most} calls")


def _on_every_kind(lab, copies, when):
    lab.need_root()
    survived, skipped, failures = [], [], []
    for kind, size in KINDS.items():
        if lab.quick and survived:
            break
        try:
            failures += [f"{kind} {failure}" for failure in _cuts(lab, kind, size, copies)]
            survived.append(kind)
        except Skipped as reason:
            skipped.append(f"{kind} {reason}")
    if not survived:
        raise Skipped("; ".join(skipped))
    check(not failures, f"{len(failures)} copies: {'; '.join(failures[:4])}")
    return f"{', '.join(survived)}, {when}" + (f"; not {'; '.join(skipped)}" if skipped else "")


def _cuts(lab, kind, size, copies):
    """Takes the copies of one run, then checks each; returns what is wrong."""
    image = lab.image(kind, size)
    with lab.mounted(image, kind) as mounted:
        project = lab.project(folder=f"{mounted}", text=chain())
        project.write("in.txt", "0\n")
        # The source is the person's own work, long on the disk.
        lab.command("sync", "-f", mounted)
        taken = list(copies(project, image))
    failures = []
    for moment, done, copy in taken:
        try:
            with lab.mounted(copy, kind) as mounted:
                _check_copy(lab.project(folder=mounted), done)
        except Failed as failure:
            failures.append(f"{moment}: {failure}")
        finally:
            os.remove(copy)
    return failures


def _check_copy(project, done):
    """What was reported is known, no half output is taken for a whole one, and the next run ends well."""
    for stage, verdict in project.plan().items() if project.exists("cache/format") else ():
        name = f"results/{stage[1:]}.txt"
        is_whole = project.exists(name) and project.read(name) == chain_output(int(stage[1:]))
        check(verdict != "current" or is_whole, f"{name} is half and taken for whole")
        check(stage not in done or verdict in {"current", "restore"}, f"{stage} was done and is to {verdict} again")
    run = project.run()
    check(not set(run.ran) & done, f"done and executed again: {sorted(set(run.ran) & done)}")
    check_end(project)


def _copy(image):
    """A copy of an image as it stands, holes and all."""
    copy = f"{image}.{time.monotonic_ns()}"
    subprocess.run(["cp", "--sparse=always", image, copy], check=True)
    return copy


def flip_on_unmounted_disk(lab):
    """A disk that alters a bit by itself, so that no time stamp changes: such bytes are not served either."""
    content = marked("rot", 8000)
    image = lab.image("ext4", KINDS["ext4"])
    with lab.mounted(image, "ext4") as mounted:
        project = lab.project(folder=mounted, text=single("tr a-z A-Z < ${in.i} > ${out.o}"))
        project.write("in.txt", content)
        project.run()
        layout.place(project.store, content.upper())
        os.remove(project.path("out.txt"))
    with open(image, "r+b") as file:
        offset = file.read().find(content.upper())
        check(offset > 0, "the content is not on the disk as it is")
        while offset >= 0:
            file.seek(offset)
            file.write(bytes([content.upper()[0] ^ 4]))
            file.seek(0)
            offset = file.read().find(content.upper())
    with lab.mounted(image, "ext4") as mounted:
        project = lab.project(folder=mounted)
        run = project.run()
        check(project.read("out.txt") == content.upper(), "bytes that the disk altered were served")
        check(run.ran == ["s"], f"the stage was not executed again: {run.outcomes}")
