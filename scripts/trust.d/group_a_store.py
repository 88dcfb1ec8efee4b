"""Group A: the store's objects, its disk and what the system refuses."""

import errno
import os
import resource
import shutil
import stat

import layout
import power
import tracing
from catalogue import Skipped, check, fault
from lab import wait_until
from matrix import every_call
from samples import chain_project, check_chain, check_end, marked, single


SIZES = (2_000, 3_000_000)
"""Bytes of a content that the store keeps beside others in one file, and of one that has a file of its own."""


def _stored(lab, content):
    """A project with one stage that was run, whose output holds `content`; and where the store keeps that."""
    project = lab.project(text=single("cat ${in.i} ${in.i} > ${out.o}"))
    half = content[: len(content) // 2]
    project.write("in.txt", half)
    project.run()
    check(project.read("out.txt") == half + half, "the first run is wrong already")
    return project, layout.place(project.store, half + half), half + half


def _never_served(project, content):
    """With the workspace's copy gone, the run makes the content anew and serves no other bytes."""
    os.remove(project.path("out.txt"))
    run = project.run()
    check(project.read("out.txt") == content, "wrong bytes were served")
    check(run.ran == ["s"], f"the stage was not executed again but {run.outcomes}")
    project.audit("s")
    check(project.run().ran == [], "the run after it executes something")


@fault("F01", "one bit of an object inverted, size, mode and mtime as before; and in the image of an unmounted disk",
       "quarantined and made anew, never served")
def bit_flip(lab):
    """A bit of a stored object turns over, and nothing but the bytes tells."""
    for size in SIZES:
        project, place, content = _stored(lab, marked("F01", size))
        layout.overwrite(place, bytes([content[0] ^ 4]) + content[1:])
        audit = project.lemma("audit", "s")
        check(audit.status == 1 and "altered" in audit.said, f"audit does not tell: {audit.said[-200:]}")
        _never_served(project, content)
        check(layout.quarantined(project.store), "the altered object is not in quarantine")
    try:
        power.flip_on_unmounted_disk(lab)
    except Skipped as reason:
        return f"on a live disk only, the rest {reason}"


@fault("F02", "an object's file emptied", "made anew, never served")
def emptied(lab):
    """A stored object is cut off, as after a lost write or an interrupted copy."""
    for size in SIZES:
        project, place, content = _stored(lab, marked("F02", size))
        layout.truncate(place)
        _never_served(project, content)


@fault("F03", "an object's bytes replaced by another content of equal size", "refused, made anew, never served")
def swapped(lab):
    """A stored object holds another, itself intact, content of the same size."""
    for size in SIZES:
        project, place, content = _stored(lab, marked("F03", size))
        layout.overwrite(place, marked("other", len(content)))
        _never_served(project, content)


@fault("F04", "an object's file removed while the index has it; once a file of a folder's",
       "made anew; a folder is whole or absent")
def missing(lab):
    """The index vouches for an object that is not there."""
    for size in SIZES:
        project, place, content = _stored(lab, marked("F04", size))
        os.remove(place.path)
        _never_served(project, content)
    project = lab.project(text=single("mkdir ${out.o}; cp ${in.i} ${out.o}/a; echo marked-b >> ${out.o}/b",
                                      result="folder"))
    project.write("in.txt", marked("F04 folder"))
    project.run()
    shutil.rmtree(project.path("folder"))
    os.remove(layout.places(project.store, b"marked-b\n")[0].path)
    run = project.run()
    check(sorted(os.listdir(project.path("folder"))) == ["a", "b"], "a part of the folder was served")
    check(run.ran == ["s"] and project.read("folder/b") == b"marked-b\n", f"it was not made anew: {run.outcomes}")


@fault("F05", "the mounted image of ext4, xfs and btrfs copied 0, 1, 3, 6, 30 s after the success message",
       "on the copy all that was reported as done is whole")
def power_cut(lab):
    """The power goes soon after a run said that it is complete."""
    return power.cut_after_success(lab)


@fault("F06", "the mounted image of ext4, xfs and btrfs copied before system calls of a five-stage run",
       "stages reported as done are not executed again; the rest is whole or absent")
def power_cut_between(lab):
    """The power goes between object, index row and ledger."""
    return power.cut_at_calls(lab)


@fault("F07", "kill -9 before every N-th system call that changes something, in a five-stage run",
       "the next run ends as an undisturbed one; finished stages are not executed again")
def killed_everywhere(lab):
    """The process dies at any instant."""

    def kill(number, project):
        plan_first = number % 2 == 0
        done = set()
        count = 0

        def decide(call):
            nonlocal count, done
            if call.changes:
                count += 1
                if count == number:
                    done = {line.split()[1] for line in call.said.splitlines() if line.startswith("done ")}
                    return tracing.Kill

        ended = tracing.trace(project, "run", decide=decide)
        if count < number:
            return  # This run made a call less than the counted one.
        check(ended.status == -9, f"it was not killed but ended with {ended.status}")
        if plan_first:
            # What the index knows is finished too, whether or not it was told.
            done |= {stage for stage, verdict in project.plan().items() if verdict in {"current", "restore"}}
        check_chain(project, finished=done)

    return every_call(lab, lambda call: call.changes, kill)


@fault("F08", "a store on a file system of 4 MiB, outputs of 0.4 to 3.6 MB",
       "an error, no temporary files, the input untouched; goes on when there is room")
def full_disk(lab):
    """The disk is full while something is stored."""
    disk = lab.tmpfs("4m")
    source = os.urandom(400_000)
    told = 0
    for times in range(1, 10):
        project = lab.project(store=f"{disk}/cache", text=single("cat" + " ${in.i}" * times + " > ${out.o}"))
        project.write("in.txt", source)
        ended = project.lemma("run")
        if ended.status != 0:
            ended.failed()
            told += "No space left" in ended.said
            check(not layout.leftovers(project.store), f"left behind: {layout.leftovers(project.store)[:3]}")
            check(project.read("in.txt") == source and not project.exists("out.txt"), "the workspace was touched")
            lab.command("mount", "-o", "remount,size=64m", disk)
            project.run()
        check(project.read("out.txt") == source * times, f"wrong output of {times} times the source")
        project.audit("s")
        shutil.rmtree(project.store)
        lab.command("mount", "-o", "remount,size=4m", disk)
    check(told, "no error said that there is no space left")


@fault("F09", "ENOSPC at every write to the index and to the ledger", "an error, and the run goes on afterwards")
def full_disk_in_records(lab):
    """The disk is full while the index or the ledger is written."""

    def is_record(call):
        return call.name in tracing.WRITING and ("index.sqlite" in call.file or "ledger.git" in call.file)

    return _each_call_fails(lab, is_record, errno.ENOSPC)


@fault("F10", "EIO at every read, write and close of the store's files, and at every flush",
       "an error or the right result; nothing is done after a flush that failed")
def input_output_error(lab):
    """The disk answers with an error."""
    flushes = _each_call_fails(lab, lambda call: call.name in tracing.FLUSHING, errno.EIO)

    def is_access(call):
        return (call.name in tracing.WRITING | tracing.READING or call.name == "close") and "/cache/" in call.file

    return f"flushes {flushes}; reads, writes and closes {_each_call_fails(lab, is_access, errno.EIO)}"


def _each_call_fails(lab, matches, code):
    """Fails the matching calls of a run, one a run; each time the next run must end well."""

    def fail(number, project):
        count = 0
        failed = None

        def decide(call):
            nonlocal count, failed
            if matches(call):
                count += 1
                if count == number:
                    failed = (call.name, call.file)
                    return tracing.Error(code)

        ended = tracing.trace(project, "run", decide=decide)
        if failed is None:
            return  # This run made a call less than the counted one.
        if ended.status != 0:
            ended.failed()
        else:
            name, file = failed
            is_object = name in tracing.FLUSHING and os.path.isfile(file) and not _mends_itself(file)
            check(not is_object, f"'{name}' of {os.path.basename(file)} failed, and the run ended well")
            check_end(project)
        done = {line.split()[1] for line in ended.error.decode().splitlines() if line.startswith("done ")}
        check_chain(project, finished=done)

    return every_call(lab, matches, fail)


def _mends_itself(file):
    """SQLite goes on with its journal, libgit2 writes a second file; either may leave out a call that failed."""
    return layout.INDEX in file or "ledger.git" in file


@fault("F11", "every write transfers half of its bytes; every N-th read and write is interrupted (EINTR)",
       "as if nothing had happened")
def short_write(lab):
    """The system writes less than was asked, or is interrupted."""
    project = chain_project(lab)
    tracing.trace(
        project, "run",
        decide=lambda call: tracing.Half if call.name in {"write", "pwrite64"} else None).succeeded()
    check_end(project)

    def is_interruptible(call):
        return call.name in {"read", "write", "pread64", "pwrite64"} and "/cache/" in call.file

    def interrupt(number, project):
        count = 0

        def decide(call):
            nonlocal count
            if is_interruptible(call):
                count += 1
                if count == number:
                    return tracing.Error(errno.EINTR)

        tracing.trace(project, "run", decide=decide).succeeded()
        check_end(project)

    return "halves; interruptions " + every_call(lab, is_interruptible, interrupt)


@fault("F12", "limits of 6 to 64 open files, with a folder of 200 files as input",
       "an error, and afterwards the right result")
def few_descriptors(lab):
    """The process may open few files."""
    limits = [6, 8, 10, 12, 16, 20, 24, 32, 64]
    failures = 0
    for limit in limits if not lab.quick else limits[::3]:
        project = lab.project(text=single("cat ${in.i}/* > ${out.o}", source="many"))
        for number in range(200):
            project.write(f"many/{number:03}", f"{number}\n")
        ended = project.lemma("run", limits={resource.RLIMIT_NOFILE: limit})
        if ended.status != 0:
            failures += 1
            check(ended.status < 70 and ended.said.strip(), f"with {limit} files it ended with {ended.status}")
        project.run()
        check(project.read("out.txt") == b"".join(b"%d\n" % number for number in range(200)), f"wrong with {limit}")
        project.audit("s")
    check(failures, "no limit was low enough to matter")
    return f"{failures} limits of {len(limits) if not lab.quick else 3} end in an error"


@fault("F13", "a stage's file size limited, so that its output is cut, with exit status 0",
       "refused where 'expect:' says how large the output is")
def cut_output(lab):
    """A quota cuts an output and the command does not notice."""
    project = lab.project(text="pipeline: p\nstages: {}\n")
    if not project.knows("expect"):
        raise Skipped("no 'expect:' yet")
    script = "ulimit -f 4; head -c 100000 /dev/zero > ${out.o} || true"
    project.write("lemma.yaml", single(script, more="    expect: { o: { bytes: 100000 } }\n"))
    project.write("in.txt", "1\n")
    project.lemma("run").failed("o")
    check(not project.exists("out.txt"), "the cut output was accepted")


@fault("F14", "the store's file system mounted read-only", "'run' says so; reading commands still work")
def read_only(lab):
    """The store cannot be written."""
    disk = lab.tmpfs("64m")
    project = lab.project(store=f"{disk}/cache", text=single())
    project.write("in.txt", "1\n")
    project.run()
    project.write("in.txt", "2\n")
    lab.command("mount", "-o", "remount,ro", disk)
    project.lemma("run").failed("ead-only")
    check(project.read("out.txt") == b"1\n", "the workspace was touched")
    reading = [project.lemma(*words) for words in (["status"], ["plan"], ["log"], ["show"], ["audit", "s"])]
    refusing = [f"'{ended.name}': {ended.said.strip()[:200]}" for ended in reading if ended.status != 0]
    check(not refusing, f"refused although they only read: {'; '.join(refusing)}")


@fault("F15", "one object made unreadable for the user of the store", "the error names it; other stages go on")
def unreadable(lab):
    """One object cannot be read by its user."""
    two = single() + "  t:\n    run: 'cat ${in.i} > ${out.o}'\n    in: { i: two.txt }\n    out: { o: t.txt }\n"
    project = lab.project(text=two)
    content = marked("F15", SIZES[1])
    project.write("in.txt", content)
    project.write("two.txt", marked("F15 two", SIZES[1]))
    user = None
    if os.geteuid() == 0:
        # Root reads everything.
        user = 65534
        project.program = shutil.copy(project.program, lab.folder("program"))
        os.chmod(lab.root, 0o755)
        for folder, folders, _ in os.walk(lab.root):
            os.chown(folder, user, user)
        for path in layout.files(lab.root):
            os.chown(path, user, user)
        os.chmod(project.program, 0o755)
    project.run(user=user)
    place = layout.place(project.store, content)
    if not place.is_alone:
        raise Skipped("the object shares its file with others")
    os.chmod(place.path, 0)
    os.remove(project.path("out.txt"))
    os.remove(project.path("t.txt"))
    going_on = ["--keep-going"] if "--keep-going" in project.lemma("run", "--help").said else []
    ended = project.lemma("run", *going_on, user=user)
    name = os.path.basename(place.path).split("-")[0][:8]
    check(ended.status == 0 or name in ended.said, f"the message does not name the object: {ended.said[-300:]}")
    check(project.exists("t.txt"), f"the other stage was not served: {ended.said[-300:]}")
    if ended.status == 0:
        check(project.read("out.txt") == content, "wrong bytes")
    os.chmod(place.path, stat.S_IRUSR)
    project.run(user=user)
    check(project.read("out.txt") == content, "it did not go on")


@fault("F16", "the store in memory, the workspace on disk", "copied, with the same result")
def two_file_systems(lab):
    """Store and workspace are on different file systems, where nothing can be renamed or cloned across."""
    store = f"{lab.tmpfs('64m')}/cache"
    project = lab.project(store=store, text=single("mkdir ${out.o}; cp ${in.i} ${out.o}/a; chmod 755 ${out.o}/a",
                                                   result="folder"))
    project.write("in.txt", "1\n")
    project.run()
    shutil.rmtree(project.path("folder"))
    check(project.run().ran == [], "the folder was not restored but made again")
    check(project.read("folder/a") == b"1\n" and os.access(project.path("folder/a"), os.X_OK), "restored wrongly")


@fault("F17", "a store put back from a copy that is older than the ledger", "the missing is named; the run mends it")
def restored_backup(lab):
    """The store comes from a backup, the ledger is newer."""
    project = chain_project(lab)
    lab.command("git", "init", "-q", project.folder)
    project.run()
    backup = f"{lab.folder('backup')}/cache"
    shutil.copytree(project.store, backup, symlinks=True)
    project.write("in.txt", "new\n")
    newest = project.run().digests
    shutil.rmtree(project.store)
    shutil.move(backup, project.store)
    audit = project.lemma("audit", "s5")
    check(audit.status == 1 and "missing" in audit.said, f"audit does not name what is missing: {audit.said[-200:]}")
    run = project.run()
    check({name: digest for name, digest in run.digests.items() if name.endswith(".o")}
          == {name: digest for name, digest in newest.items() if name.endswith(".o")}, "the run ends otherwise")
    project.audit("s5")


@fault("F18", "1,000 leftover temporary files of dead processes, and one of a living",
       "the dead ones' are removed, the living one's is not")
def leftovers(lab):
    """Killed commands left temporary files lying about."""
    project = chain_project(lab)
    project.run()
    for number in range(1000):
        folder = f"{project.store}/tmp/dead{number % 50:02}"
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/{number}", "wb") as file:
            file.write(b"half of something")
    before = layout.at_work(project.store)
    living = chain_project(lab, first="sleep 2; ")
    living.store_argument = project.store
    with living.start("run") as running:
        check(wait_until(lambda: layout.at_work(project.store) - before), "the living run did not start")
        # A run that has nothing to write leaves them to the next.
        project.write("in.txt", "other\n")
        project.run()
        dead = [name for name in os.listdir(f"{project.store}/tmp") if name.startswith("dead")]
        check(not dead, f"not removed: {len(dead)} folders")
        running.wait().succeeded()
    check_end(living)
