"""Group E: the pipeline file, the index, the ledger, and what a stage says of its own end."""

import glob
import os
import re
import shutil
import subprocess
import time

import layout
from catalogue import check, fault
from lab import wait_until
from samples import chain, chain_project, check_end, single


@fault("F51", "the pipeline file cut off at every byte, and with merge markers at every line",
       "valid or refused with file and line; never a crash")
def cut_pipeline(lab):
    """The pipeline file is half written, or has a merge conflict."""
    project = lab.project()
    text = chain().encode()
    project.write("in.txt", "0\n")
    refused = 0
    for length in range(0, len(text), 37 if lab.quick else 1):
        project.write("lemma.yaml", text[:length])
        ended = project.lemma("check")
        if ended.status != 0:
            ended.failed("lemma.yaml")
            refused += 1
    lines = text.decode().splitlines(keepends=True)
    for number in range(0, len(lines), 5 if lab.quick else 1):
        marked = [*lines[:number], "<<<<<<< ours\n", lines[number], "=======\n", lines[number], ">>>>>>> theirs\n",
                  *lines[number + 1:]]
        project.write("lemma.yaml", "".join(marked))
        ended = project.lemma("run").failed("lemma.yaml:")
        check(re.search(r"lemma\.yaml:\d+", ended.said), f"no line is named: {ended.said[:200]}")
        refused += 1
    check(not project.exists("results"), "something was executed")
    return f"{refused} files refused"


@fault("F52", "the index replaced with garbage, cut off, removed, and of a newer version",
       "found again from the store, or an error that says how; a newer one is left alone")
def broken_index(lab):
    """The index is unreadable or gone."""
    mended = {}
    for what in ("garbage", "cut off", "removed", "newer"):
        project = chain_project(lab)
        project.run()
        identifiers = {number: project.read(f"results/{number}.id") for number in range(1, 6)}
        _break_index(project, what)
        if what == "newer":
            before = _bytes(project.store)
            project.lemma("run").failed("version")
            check(_bytes(project.store) == before, "the newer index was changed")
            continue
        ended = project.lemma("run")
        if project.has("doctor"):
            project.lemma("doctor").succeeded()
            project.run()
            check({number: project.read(f"results/{number}.id") for number in identifiers} == identifiers,
                  f"{what}: what the store and the ledger have was executed again")
        elif ended.status != 0:
            ended.failed("index")
            for path in layout.index_files(project.store):
                os.remove(path)
            project.run()
        mended[what] = "an error" if ended.status else "mended"
        check_end(project)
    return ", ".join(f"{what}: {how}" for what, how in mended.items())


def _break_index(project, what):
    index = f"{project.store}/{layout.INDEX}"
    if what == "newer":
        with layout.index(project.store) as connection:
            connection.execute("PRAGMA user_version = 1000")
        return
    size = os.path.getsize(index)
    for path in layout.index_files(project.store):
        os.remove(path)
    if what == "garbage":
        with open(index, "wb") as file:
            file.write(os.urandom(size))
    elif what == "cut off":
        with open(index, "wb") as file:
            file.write(b"SQLite format 3\0" + os.urandom(500))


def _bytes(store):
    with open(f"{store}/{layout.INDEX}", "rb") as file:
        return file.read()


def _ledger(lab):
    """A project in a git repository with three runs, whose ledger plain git can alter."""
    lab.need("git")
    project = lab.project(text=(
        "pipeline: p\nstages:\n  s:\n    run: 'echo \"{\\\"score\\\": $(cat ${in.i})}\" > ${out.metrics}'\n"
        "    in: { i: in.txt }\n    out: { metrics: m.json }\n"))
    lab.command("git", "init", "-q", project.folder)
    for number in range(3):
        project.write("in.txt", f"{number}\n")
        project.run()
    return project


def _git(project, *words, input=None, **extra):
    """Plain git in a project; other keywords are variables of its environment."""
    environment = {**os.environ, "GIT_AUTHOR_NAME": "x", "GIT_AUTHOR_EMAIL": "x", "GIT_COMMITTER_NAME": "x",
                   "GIT_COMMITTER_EMAIL": "x", "HOME": project.folder}
    done = subprocess.run(
        ["git", "-C", project.folder, *words], capture_output=True, env={**environment, **extra}, input=input)
    check(done.returncode == 0, f"git {words[0]}: {done.stderr.decode()}")
    return done.stdout.decode().strip()


@fault("F53", "the ledger's reference set one run back with `git update-ref`", "named, with the run that is gone")
def rolled_back(lab):
    """The history of runs is set back."""
    project = _ledger(lab)
    newest = _git(project, "rev-parse", "refs/lemma/runs")
    _git(project, "update-ref", "refs/lemma/runs", "refs/lemma/runs~1")
    project.lemma("audit", "s").failed(newest[:10])
    project.run()
    check(newest in _git(project, "log", "--format=%B", "refs/lemma/runs"), "the next run does not record the loss")


@fault("F54", "a metric in a run's commit edited and the commit written anew; an object of the ledger altered",
       "the altered is named")
def rewritten(lab):
    """The history of runs is rewritten."""
    project = _ledger(lab)
    newest = _git(project, "rev-parse", "refs/lemma/runs")
    forged = _forge(project, newest)
    _git(project, "update-ref", "refs/lemma/runs", forged)
    ended = project.lemma("audit", "s.score")
    check(ended.status == 1, f"audit ended with {ended.status} on a forged metric: {ended.said[-300:]}")
    check(newest[:10] in ended.said or "score" in ended.said or "metric" in ended.said,
          f"the altered is not named: {ended.said[-300:]}")
    project = _ledger(lab)
    newest = _git(project, "rev-parse", "refs/lemma/runs")
    # Plain git writes a file an object; a pack is taken apart first.
    for pack in glob.glob(f"{project.folder}/.git/objects/pack/*.pack"):
        moved = shutil.move(pack, project.path("taken.pack"))
        with open(moved, "rb") as file:
            _git(project, "unpack-objects", "-q", input=file.read())
    path = f"{project.folder}/.git/objects/{newest[:2]}/{newest[2:]}"
    os.chmod(path, 0o644)
    with open(path, "r+b") as file:
        file.seek(20)
        file.write(b"\0\0\0")
    project.lemma("audit", "s").failed(newest[:10])


def _forge(project, commit):
    """A commit as `commit`, but with another score."""
    index = {"GIT_INDEX_FILE": project.path("forged-index")}
    _git(project, "read-tree", commit, **index)
    for path in _git(project, "ls-tree", "-r", "--name-only", commit).splitlines():
        content = _git(project, "show", f"{commit}:{path}")
        if '"score": 2' in content:
            forged = content.replace('"score": 2', '"score": 9') + "\n"
            blob = _git(project, "hash-object", "-w", "--stdin", input=forged.encode())
            _git(project, "update-index", "--cacheinfo", f"100644,{blob},{path}", **index)
    tree = _git(project, "write-tree", **index)
    message = _git(project, "log", "-1", "--format=%B", commit)
    return _git(project, "commit-tree", tree, "-p", f"{commit}~1", "-m", message)


@fault("F55", "a stage ends with 0 and has written one of its two outputs", "refused, naming the other")
def no_output(lab):
    """A stage says that it succeeded and has no output."""
    project = lab.project(text=(
        "pipeline: p\nstages:\n  s: { run: 'echo 1 > ${out.a}', out: { a: a.txt, b: b.txt } }\n"))
    project.lemma("run").failed("'b'")
    check(not project.exists("a.txt"), "half of the outputs stand in the workspace")
    check(project.plan()["s"] == "run", "it is taken for done")


@fault("F56", "kill -9 of the run at many moments of a stage that writes slowly", "the partial output is never trusted")
def partial_output(lab):
    """The run dies while a stage writes."""
    script = "for n in 1 2 3 4 5 6 7 8; do cat ${in.i} >> ${out.o}; sleep 0.03; done"
    moments = 4 if lab.quick else 30
    for moment in range(moments):
        project = lab.project(text=single(script))
        project.write("in.txt", "x\n")
        with project.start("run") as running:
            check(wait_until(lambda: b"start" in running.said()), "the stage did not start")
            time.sleep(0.3 * moment / moments)
            running.kill()
        whole = b"x\n" * 8
        check(not project.exists("out.txt") or project.read("out.txt") == whole, "a part stands in the workspace")
        project.run()
        check(project.read("out.txt") == whole, f"the part was taken over: {project.read('out.txt')!r}")
        project.audit("s")
    return f"{moments} moments"


BAD_METRICS = [
    '{"a": NaN}', '{"a": Infinity}', '{"a": -Infinity}', '{"a": 1, "a": 2}', '{"a": 1e400}',
    '{"a": 1' + "0" * 400 + "}",
    '{"a": 01}', '{"a": 1,}', '[1', "", "nul", '{"a": "\ud800"}', '{"a": ' + "[" * 5000 + "]" * 5000 + "}",
]


@fault("F57", f"{len(BAD_METRICS)} files of metrics: NaN, infinities, a key twice, 10^400, bad JSON, deep nesting",
       "refused with the place; nothing recorded")
def bad_metrics(lab):
    """A stage writes metrics that are no numbers."""
    for text in BAD_METRICS:
        project = lab.project(
            text=single("cat ${in.i} > ${out.metrics}").replace("{ o: out.txt }", "{ metrics: m.json }"))
        project.write("in.txt", text.encode(errors="surrogatepass"))
        ended = project.lemma("run")
        check(ended.status != 0, f"accepted: {text[:40]!r}")
        ended.failed("s")
        check(not project.exists("m.json") and project.plan()["s"] == "run", f"recorded: {text[:40]!r}")
