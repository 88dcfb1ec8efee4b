"""Group C: several processes at one store, and what is left when one of them dies."""

import contextlib
import json
import os
import signal
import time

import layout
import tracing
from catalogue import Skipped, check, fault
from lab import wait_until
from matrix import sample
from project import Run
from samples import CHAIN, chain_project, check_end, marked, single


def _together(*projects):
    """Runs all at once; returns what each recorded."""
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(project.start("run", "--json")) for project in projects]
        return [Run(json.loads(one.wait().succeeded().out)) for one in running]


def _executed_once(runs):
    counts = {stage: sum(stage in run.ran for run in runs) for stage in CHAIN}
    check(set(counts.values()) == {1}, f"executions by stage: {counts}")


@fault("F35", "two, then four runs at once in one workspace, the first ever there",
       "all end well; each stage executed once")
def same_workspace(lab):
    """Several runs go on in one workspace."""
    rounds = 3 if lab.quick else 25
    for number in range(rounds):
        project = chain_project(lab, work="sleep 0.02; ")
        _executed_once(_together(*[project] * (2 if number % 2 else 4)))
        check_end(project)
    return f"{rounds} times"


@fault("F36", "kill -9 of the run that holds the locks, while another waits", "the waiting run goes on by itself")
def holder_killed(lab):
    """The holder of a lock dies."""
    project = chain_project(lab, first="sleep 1; ")
    with project.start("run") as first:
        check(wait_until(lambda: b"start" in first.said()), "the first run did not start")
        with project.start("run") as second:
            check(wait_until(lambda: b"waiting" in second.said() or second.process.poll() is not None),
                  "the second run does not say that it waits")
            first.kill()
            second.wait().succeeded()
    # The second was there before the first died: what that left is for the next one to remove.
    check(project.run().ran == [], "the waiting run did not end the work")
    check_end(project)


@fault("F37", "`statfs` of the store answering that it is NFS", "refused, or no journal that needs shared memory")
def network_file_system(lab):
    """The index lies on a network file system, where SQLite's write-ahead log loses rows."""
    project = chain_project(lab)
    nfs = (0x6969).to_bytes(8, "little")

    def pretend(call):
        if call.name in {"statfs", "fstatfs"}:
            return tracing.Answer(call.arguments[1], nfs)

    ended = tracing.trace(project, "run", decide=pretend)
    if ended.status != 0:
        ended.failed("network")
        return "refused"
    with layout.index(project.store) as index:
        mode = index.execute("PRAGMA journal_mode").fetchone()[0]
    check(mode != "wal", "the index is in WAL mode on NFS, and nothing was said")


@fault("F38", "another process holds the index for longer and longer, once for longer than anybody waits",
       "waits; then an error, and what was finished is kept")
def locked_database(lab):
    """The index is locked by another process."""
    for seconds in [2] if lab.quick else [2, 75]:
        project = chain_project(lab)
        project.run()
        project.write("in.txt", "0\n\n")
        with layout.index(project.store) as index:
            index.execute("BEGIN EXCLUSIVE")
            with project.start("run") as running:
                time.sleep(seconds)
                index.execute("ROLLBACK")
                ended = running.wait()
        if seconds < 60:
            ended.succeeded()
        elif ended.status != 0:
            ended.failed("index")
        project.write("in.txt", "0\n")
        project.run()
        check_end(project)


def _gc(project):
    """The words that let `gc` remove something."""
    if not project.has("gc"):
        raise Skipped("no 'gc' yet")
    told = project.lemma("gc", "--help").said
    for option in ("--delete", "--apply", "--yes", "--force"):
        if option in told:
            return ["gc", option]
    check(False, "'gc' has no option that lets it remove anything")


def _shared_store(lab):
    """Two workspaces on one store: the second has a result that the first never needs."""
    store = f"{lab.folder('shared')}/store"
    first, second = lab.project(store=store, text=single()), lab.project(store=store, text=single())
    first.write("in.txt", marked("first"))
    second.write("in.txt", marked("second"))
    first.run()
    second.run()
    return first, second


@fault("F39", "`gc` in one of two workspaces on one store; `gc` again and again during a run",
       "nothing of the other's or of the run's is removed; it may refuse while one is at work")
def collected(lab):
    """The store is cleaned while another workspace or a run needs its objects."""
    first, second = _shared_store(lab)
    words = _gc(first)
    first.lemma(*words).succeeded()
    for project, name in ((first, "first"), (second, "second")):
        os.remove(project.path("out.txt"))
        is_there = project.run().ran == [] and project.read("out.txt") == marked(name)
        check(is_there, f"the {name} workspace's result is gone")
        project.audit("s")
    running = chain_project(lab, work="sleep 0.1; ")
    running.store_argument = first.store
    collections = 0
    with running.start("run") as run:
        while not run.has_ended():
            # It waits for no run, and removes nothing while one is at work.
            done = first.lemma(*words)
            check(done.status == 0 or "a run is at work" in done.said, f"gc ended with {done.status}: {done.said}")
            collections += 1
        run.wait().succeeded()
    check_end(running)
    return f"{collections} collections during one run"


@fault("F40", "kill -9 before every N-th changing system call of `gc`",
       "the store is sound, and the next `gc` ends the work")
def collector_killed(lab):
    """The cleaning of the store is killed half way."""

    def prepared():
        project = lab.project(text=single())
        for number in range(3):
            project.write("in.txt", marked(f"version {number}"))
            project.run()
        return project

    project = prepared()
    words = _gc(project)
    total = 0

    def count(call):
        nonlocal total
        total += call.changes

    tracing.trace(project, *words, decide=count).succeeded()
    points = sample(total, lab.quick)
    for number in points:
        project = prepared()
        passed = 0

        def kill(call):
            nonlocal passed
            passed += call.changes
            return tracing.Kill if call.changes and passed == number else None

        tracing.trace(project, *words, decide=kill)
        os.remove(project.path("out.txt"))
        check(project.run().ran == [] and project.read("out.txt") == marked("version 2"), f"lost at call {number}")
        project.audit("s")
        project.lemma(*words).succeeded()
        project.audit("s")
        lab.discard(project)
    return f"{len(points)} of {total} points"


@fault("F41", "two workspaces on one store run the same actions at once, with random outputs; then one is killed",
       "each action executed once; both have the same bytes")
def same_key_twice(lab):
    """Two processes write the output of one action, as when a cluster requeues a job."""
    rounds = 3 if lab.quick else 20
    for number in range(rounds):
        store = f"{lab.folder('shared')}/store"
        projects = [chain_project(lab, work="sleep 0.05; ") for _ in range(2)]
        for project in projects:
            project.store_argument = store
        if number % 3 == 2:
            with projects[0].start("run") as dying, projects[1].start("run") as other:
                wait_until(lambda: b"done" in dying.said() or dying.process.poll() is not None)
                dying.kill()
                other.wait().succeeded()
            projects[0].run()
        else:
            _executed_once(_together(*projects))
        for stage in range(1, 6):
            identifiers = {project.read(f"results/{stage}.id") for project in projects}
            check(len(identifiers) == 1, f"stage {stage} was executed twice: {identifiers}")
        for project in projects:
            check_end(project)
    return f"{rounds} times"


@fault("F42", "SIGTERM, then SIGKILL to a run and to what it started, with half an output written",
       "the half is never accepted")
def time_limit(lab):
    """A time limit ends the job and all its processes."""
    project = lab.project(text=single("cat ${in.i} > ${out.o}; sleep 30; cat ${in.i} >> ${out.o}"))
    project.write("in.txt", "half\n")
    for signals in ([signal.SIGTERM, signal.SIGKILL], [signal.SIGKILL]):
        before = layout.at_work(project.store)
        with project.start("run") as running:
            check(wait_until(lambda: any(os.path.getsize(path) for path in layout.at_work(project.store) - before
                                         if path.endswith("o.txt"))), "the stage wrote nothing")
            for number in signals:
                for process in _family(running.process.pid):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process, number)
            running.process.wait()
        check(not project.exists("out.txt"), "half an output stands in the workspace")
        check(project.plan()["s"] == "run", "half an output is taken for the result")
    project.write("lemma.yaml", single("cat ${in.i} > ${out.o}; cat ${in.i} >> ${out.o}"))
    project.run()
    check(project.read("out.txt") == b"half\nhalf\n", "the half was taken over")
    check(not layout.leftovers(project.store), "left in the store: what the killed runs had written")


def _family(process):
    """A process and all below it."""
    family = [process]
    for task in os.listdir(f"/proc/{process}/task"):
        with contextlib.suppress(OSError), open(f"/proc/{process}/task/{task}/children") as file:
            for child in file.read().split():
                family += _family(int(child))
    return family
