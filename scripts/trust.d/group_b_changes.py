"""Group B: whether a changed input is noticed, however it was changed."""

import glob
import mmap
import os
import shutil
import signal
import subprocess
import threading
import time

import late
from catalogue import Skipped, check, fault
from lab import wait_until
from samples import single

SETTLED = 2.5
"""Seconds after which a file's time stamp lies far enough back to be trusted."""


def _settled_project(lab, content=b"first\n", **keywords):
    """A project that was run, whose source has a trusted stamp: the case in which a change could be overlooked."""
    project = lab.project(text=single(**keywords))
    project.write("in.txt", content)
    time.sleep(SETTLED)
    project.run()
    project.run()
    check(project.read("out.txt") == content, "the first run is wrong already")
    return project


def _noticed(project, content):
    """The run serves what stands in the source now."""
    project.run()
    check(project.read("out.txt") == content, f"wrong hit: {project.read('out.txt')[:40]!r} for {content[:40]!r}")


@fault("F19", "other bytes of equal size written in place, mtime set back", "noticed")
def edited_in_place(lab):
    """An input is edited so that size and mtime stay the same."""
    project = _settled_project(lab)
    path = project.path("in.txt")
    times = os.stat(path)
    with open(path, "r+b") as file:
        file.write(b"other\n")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    _noticed(project, b"other\n")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    check(project.run().ran == [], "a touch alone executes something")


@fault("F20", "another file of equal size with an older mtime renamed over it", "noticed")
def older_file(lab):
    """An input is replaced by an older file, as `mv`, `cp -p`, `rsync -t` and `tar x` do."""
    project = _settled_project(lab)
    older = project.write("older.txt", b"older\n")
    os.utime(older, (1_000_000_000, 1_000_000_000))
    os.rename(older, project.path("in.txt"))
    _noticed(project, b"older\n")


@fault("F21", "bytes of equal size written right after each run hashed them, on a file system whose time stamps have "
       "seconds only", "every one noticed")
def same_tick(lab):
    """An input is written in the clock tick of its hash."""
    rounds = 40 if lab.quick else 400
    if os.geteuid() != 0:
        hidden = _write_in_ticks(lab.project(text=single()), rounds)
    else:
        # Inodes of 128 bytes have no room for fractions of a second.
        image = lab.image("ext4", 64, "-I", "128")
        with lab.mounted(image, "ext4") as mounted:
            hidden = _write_in_ticks(lab.project(folder=mounted, text=single()), rounds)
        check(hidden, "every write changed a time stamp: the fault was not injected")
    return f"{hidden} of {rounds} writes changed no time stamp"


def _write_in_ticks(project, rounds):
    """Writes after every run; returns how many of the writes no time stamp shows."""
    hidden = 0
    path = project.write("in.txt", b"0000\n")
    for number in range(rounds):
        content = b"%04d\n" % number
        before = os.stat(path)
        with open(path, "r+b") as file:
            file.write(content)
        after = os.stat(path)
        hidden += (before.st_mtime_ns, before.st_ctime_ns) == (after.st_mtime_ns, after.st_ctime_ns)
        _noticed(project, content)
    return hidden


@fault("F22", "bytes written through a mapping of a page that is dirty already, while and after runs hash",
       "noticed, although no time stamp changes")
def mapped_write(lab):
    """An input is changed through `mmap`, which leaves every time stamp as it was."""
    project = lab.project(text=single())
    path = project.write("in.txt", b"first\n" + bytes(4090))
    hidden = 0
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 4096) as view:
        view[:6] = b"dirty\n"
        time.sleep(SETTLED)
        for number in range(4 if lab.quick else 12):
            project.run()
            before = os.stat(path)
            content = b"w%04d\n" % number
            view[:6] = content
            after = os.stat(path)
            hidden += (before.st_mtime_ns, before.st_ctime_ns) == (after.st_mtime_ns, after.st_ctime_ns)
            _noticed(project, content + bytes(4090))
        view[:6] = b"last.\n"
    _noticed(project, b"last.\n" + bytes(4090))
    check(hidden, "every write through the mapping changed a time stamp: the fault was not injected")
    return f"{hidden} writes changed no time stamp"


@fault("F23", "the source replaced while the stage that was given it sleeps before and between its reads",
       "the result belongs to the bytes that were given; both contents have their own result")
def changed_while_running(lab):
    """An input changes while the stage runs."""
    project = lab.project(text=single("head -c 3 ${in.i} > ${out.o}; sleep 0.7; tail -c 3 ${in.i} >> ${out.o}"))
    project.write("in.txt", b"AAAAAA")
    with project.start("run") as running:
        check(wait_until(lambda: b"start" in running.said()), "the stage did not start")
        time.sleep(0.3)
        project.write("in.txt", b"BBBBBB")
        running.wait().succeeded()
    check(project.read("out.txt") == b"AAAAAA", f"the stage read {project.read('out.txt')!r}")
    _noticed(project, b"BBBBBB")
    project.write("in.txt", b"AAAAAA")
    check(project.run().ran == [], "the first content's result is not known")
    check(project.read("out.txt") == b"AAAAAA", "the result was recorded under other bytes than were given")


@fault("F24", "a process appends to the source all the time that runs hash it",
       "an error or one consistent state; afterwards the whole file")
def growing(lab):
    """An input grows while it is being hashed."""
    project = lab.project(text=single())
    path = project.write("in.txt", b"0123456789" * 100_000)
    stop = threading.Event()

    def append():
        with open(path, "ab", buffering=0) as file:
            while not stop.is_set():
                file.write(b"0123456789")

    writer = threading.Thread(target=append)
    writer.start()
    try:
        refused = 0
        for _ in range(5 if lab.quick else 30):
            ended = project.lemma("run")
            refused += ended.status != 0
            if ended.status != 0:
                ended.failed("in.txt", "changed")
    finally:
        stop.set()
        writer.join()
    _noticed(project, project.read("in.txt"))
    project.audit("s")
    return f"{refused} runs refused"


@fault("F25", "a child in the background writes to the output after the stage has ended",
       "the child ends with its stage")
def background_child(lab):
    """A stage leaves a process behind that goes on writing its output."""
    project = lab.project(text=single(
        "(sleep 1; echo late >> ${out.o} || true; sleep 60) & cat ${in.i} > ${out.o}"))
    project.write("in.txt", "1\n")
    project.run()
    left = [path.split("/")[2] for path in glob.glob("/proc/[0-9]*/cwd") if _link(path).startswith(project.store)]
    for process in left:
        os.kill(int(process), signal.SIGKILL)
    check(not left, f"{len(left)} processes of the stage outlive it")
    time.sleep(1.5)
    check(project.read("out.txt") == b"1\n", "the child wrote into the output")
    check(project.run().ran == [], "the output is not the recorded one")
    project.audit("s")


def _link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""


@fault("F26", "a stage overwrites its own input, and another's output by its absolute path",
       "input and store as before; the other's output put back, or an error naming it")
def writes_elsewhere(lab):
    """A stage changes its own input or another stage's output."""
    project = lab.project()
    project.write("in.txt", "1\n")
    text = single("echo own > ${in.i} || true; echo 1 > ${out.o}") + (
        "  t:\n    run: 'cat ${in.i} > ${out.o}; chmod u+w ${in.i} || true; echo evil >> ${in.i} || true;"
        f" echo evil >> {project.path('out.txt')} || true'\n"
        "    in: { i: \"${stages.s.o}\" }\n    out: { o: t.txt }\n")
    project.write("lemma.yaml", text)
    ended = project.lemma("run")
    if ended.status != 0:
        ended.failed("out.txt")
        return "refused"
    check(project.read("in.txt") == b"1\n", "the source was changed")
    altered = project.read("out.txt") != b"1\n"
    if altered:
        check(project.plan()["s"] == "restore", "the altered output is taken for the stage's")
    project.run()
    check(project.read("out.txt") == b"1\n" and project.read("t.txt") == b"1\n", "an altered output was served")
    project.audit("t")
    return "put back by the next run" if altered else "kept from writing"


@fault("F27", "an output edited in place in the workspace, as root where possible", "the store is as before; put back")
def edited_output(lab):
    """An output in the workspace is edited in place."""
    project = _settled_project(lab)
    with open(project.path("out.txt"), "r+b") as file:
        file.write(b"evil")
    project.audit("s")
    check(project.plan()["s"] == "restore", "the edit is not noticed")
    check(project.run().ran == [], "the store was altered with the workspace")
    check(project.read("out.txt") == b"first\n", "the edit was served")


@fault("F28", "one of two outputs with equal bytes edited in place", "the other is as before")
def equal_outputs(lab):
    """Two outputs have the same bytes."""
    project = lab.project(text=(
        "pipeline: p\nstages:\n  s:\n    run: 'echo same > ${out.a}; echo same > ${out.b}'\n"
        "    out: { a: a.txt, b: b.txt }\n"))
    project.run()
    with open(project.path("a.txt"), "r+b") as file:
        file.write(b"evil")
    check(project.read("b.txt") == b"same\n", "both outputs are one file")
    check(project.run().ran == [] and project.read("a.txt") == b"same\n", "the edit was served")


@fault("F29", "the script, a declared tool and a declared variable changed, each alone", "executed again each time")
def tools(lab):
    """A program or the environment of a stage changes, the data does not."""
    project = lab.project()

    def declare(value):
        project.write("lemma.yaml", (
            "pipeline: p\nstages:\n  s:\n    run: [sh, script.sh, \"${in.i}\", \"${out.o}\"]\n    in: { i: in.txt }\n"
            f"    out: {{ o: out.txt }}\n    env: {{ WORD: {value} }}\n    tools: [./tool]\n"))

    def tool(word):
        os.chmod(project.write("tool", f"#!/bin/sh\necho {word}\n"), 0o755)

    project.write("in.txt", "1\n")
    project.write("script.sh", 'echo script $WORD > "$2"\n')
    tool("one")
    declare("first")
    check(project.run().ran == ["s"] and project.run().ran == [], "the first run is wrong already")
    project.write("script.sh", 'echo SCRIPT $WORD > "$2"\n')
    check(project.run().ran == ["s"], "another script is overlooked")
    tool("two")
    check(project.run().ran == ["s"], "another tool is overlooked")
    declare("other")
    check(project.run().ran == ["s"], "another environment is overlooked")
    check(project.read("out.txt") == b"SCRIPT other\n", f"wrong bytes: {project.read('out.txt')!r}")
    ended = project.lemma("run", environment={"WORD": "caller", "OTHER": "1"}).succeeded()
    check(b"start" not in ended.error, "the caller's environment matters")


@fault("F30", "a stage reads a file outside its declared inputs by its absolute path, under every sandbox there is",
       "kept out; listed by a traced run")
def undeclared(lab):
    """A stage reads a file that it did not declare."""
    project = lab.project()
    undeclared = project.write("undeclared.txt", "undeclared\n")
    project.write("in.txt", "1\n")
    project.write("lemma.yaml", single())
    if not project.knows("sandbox"):
        raise Skipped("no 'sandbox:' yet")
    working = []
    for mode in ("auto", "strict", "landlock"):
        project.write("lemma.yaml", single(more=f"    sandbox: {mode}\n", result=f"{mode}.txt"))
        if project.lemma("run", "--force", "s").status != 0:
            continue  # This machine has no such sandbox.
        working.append(mode)
        reading = f"cat {undeclared} > ${{out.o}}"
        project.write("lemma.yaml", single(reading, more=f"    sandbox: {mode}\n"))
        project.lemma("run").failed()
        check(not project.exists("out.txt"), f"the undeclared file was read under 'sandbox: {mode}'")
    if not working:
        raise Skipped("no sandbox works here")
    if shutil.which("strace") and "--trace" in project.lemma("run", "--help").said:
        traced = project.lemma("run", "--trace", "s")
        check("undeclared.txt" in traced.said, f"the trace does not list it: {traced.said[-300:]}")
        working.append("and the trace lists it")
    return ", ".join(working)


@fault("F31", "the clock a day ahead and a day behind", "keys and results as before; edits noticed all the same")
def clock(lab):
    """The clock jumps."""
    lab.need("faketime")
    project = _settled_project(lab)
    keys = project.run().keys
    for number, jump in enumerate(["+1d", "-1d", "+1d", "-1d"]):
        faked = ["faketime", "-f", jump]
        run = project.run(through=faked)
        check(run.ran == [] and run.keys == keys, f"the clock {jump} changes keys or executes something")
        content = b"jump%d\n" % number
        path = project.path("in.txt")
        times = os.stat(path)
        with open(path, "r+b") as file:
            file.write(content)
            file.truncate()
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        project.run(through=faked)
        check(project.read("out.txt") == content, f"an edit was overlooked with the clock {jump}")
        keys = project.run().keys


@fault("F32", "a file system that lists a new file and answers that it is absent for a while",
       "an error in bounded time, and nothing recorded; right once the file is there")
def late_visibility(lab):
    """A shared file system shows a new file late."""
    lab.need_root()
    source = lab.folder("source")
    mounted = lab.folder("late")
    with late.mounted(source, mounted) as hidden:
        project = lab.project(text=single(
            "cat ${in.i}/* > ${out.o}", source='"${sources.late}"',
            more=f"sources: {{ late: {{ path: {mounted} }} }}\n"))
        with open(f"{source}/a", "w") as file:
            file.write("a\n")
        project.run()
        hidden.append("b")
        with open(f"{source}/b", "w") as file:
            file.write("b\n")
        project.lemma("run").failed("b")
        check(project.read("out.txt") == b"a\n", "a part of the folder was taken for the whole")
        hidden.clear()
        _noticed(project, b"a\nb\n")


@fault("F33", "a file removed and another made with its inode, size and mtime", "noticed")
def inode_reused(lab):
    """A new file gets the inode number of the old one."""
    project = _settled_project(lab)
    path = project.path("in.txt")
    reused = 0
    for number in range(20):
        old = os.stat(path)
        os.remove(path)
        content = b"nr%03d\n" % number
        project.write("in.txt", content)
        os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))
        reused += os.stat(path).st_ino == old.st_ino
        _noticed(project, content)
        if reused == 2:
            return None
    if not reused:
        raise Skipped("this file system does not give inode numbers out again")
    return f"{reused} inodes reused"


@fault("F34", "a file of a source folder swapped with a symbolic link to a file outside, in a loop",
       "recorded as link or as file; what is outside never enters the store")
def swapped_for_link(lab):
    """A file becomes a symbolic link between check and use."""
    project = lab.project(text=single("cp -R ${in.i} ${out.o}", source="d", result="copy"))
    outside = lab.folder("outside")
    canary = b"canary outside of the project\n"
    with open(f"{outside}/secret", "wb") as file:
        file.write(canary)
    project.write("d/x", "plain\n")
    stop = threading.Event()

    def swap():
        names = [project.path("d/x"), project.path("link"), project.path("plain")]
        while not stop.is_set():
            os.symlink(f"{outside}/secret", names[1])
            os.rename(names[1], names[0])
            with open(names[2], "wb") as file:
                file.write(b"plain\n")
            os.rename(names[2], names[0])

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        for _ in range(15 if lab.quick else 100):
            ended = project.lemma("run")
            if ended.status != 0:
                ended.failed("d")
            found = subprocess.run(["grep", "-rlF", canary.decode().strip(), project.store], capture_output=True)
            check(not found.stdout, "the file outside entered the store")
    finally:
        stop.set()
        swapper.join()
    project.run()
