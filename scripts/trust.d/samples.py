"""Pipelines that faults are injected into, and the end that an undisturbed run of them has."""

import os

import layout
from catalogue import check

STAGES = 5

RANDOM = "X" * 20
"""A name of random letters, as `mktemp` takes it: it needs no file of the machine."""


def marked(name, size=2000):
    """Bytes that stand nowhere else, the same every time."""
    line = f"content {name} ".encode()
    return (line * (size // len(line) + 1))[:size - 1] + b"\n"


def single(script="cat ${in.i} > ${out.o}", source="in.txt", result="out.txt", more=""):
    """One stage from one source to one output."""
    return (
        f"pipeline: single\nstages:\n  s:\n    run: '{script}'\n    in: {{ i: {source} }}\n"
        f"    out: {{ o: {result} }}\n{more}")


def chain(first="", work=""):
    """Five stages in a row. Each also writes an identifier that no second execution would write again.

    first: what the first command does before its own work; work: what each does.
    """
    text = "pipeline: chain\nstages:\n"
    for number in range(1, STAGES + 1):
        source = "in.txt" if number == 1 else "${stages.s%d.o}" % (number - 1)
        script = (first if number == 1 else "") + work
        text += (
            f"  s{number}:\n"
            f"    run: '{script}cat ${{in.i}} > ${{out.o}}; echo {number} >> ${{out.o}};"
            f" mktemp -u {RANDOM} > ${{out.id}}'\n"
            f"    in: {{ i: \"{source}\" }}\n"
            f"    out: {{ o: results/{number}.txt, id: results/{number}.id }}\n")
    return text


def chain_project(lab, **keywords):
    project = lab.project(text=chain(**keywords))
    project.write("in.txt", "0\n")
    return project


def chain_output(number):
    """What stage `number` writes."""
    return "".join(f"{line}\n" for line in range(number + 1)).encode()


CHAIN = [f"s{number}" for number in range(1, STAGES + 1)]


def check_chain(project, finished=()):
    """The next run ends as an undisturbed one, and executes nothing again that had been finished."""
    identifiers = {stage: project.read(f"results/{stage[1:]}.id") for stage in finished if _written(project, stage)}
    run = project.run()
    check(list(run.outcomes) == CHAIN, f"the next run knows the stages {list(run.outcomes)}")
    again = set(run.ran) & set(finished)
    check(not again, f"finished and executed again: {sorted(again)}")
    check_end(project)
    for stage, identifier in identifiers.items():
        check(project.read(f"results/{stage[1:]}.id") == identifier, f"{stage} was executed twice")
    return run


def check_end(project):
    """The project is as an undisturbed run leaves it: outputs, store, ledger, and nothing besides."""
    for number in range(1, STAGES + 1):
        found = project.read(f"results/{number}.txt")
        check(found == chain_output(number), f"wrong bytes in results/{number}.txt: {found[:60]!r}")
    check_tidy(project)
    check(project.run().ran == [], "a run after the run executes something")
    project.audit(f"s{STAGES}")


def check_tidy(project):
    if layout.leftovers(project.store):
        # What a dead process left is for the next run that writes.
        for content in ("other\n", project.read("in.txt")):
            project.write("in.txt", content)
            project.run()
    left = layout.leftovers(project.store)
    check(not left, f"left in the store: {left[:3]}")
    expected = {f"{number}.{kind}" for number in range(1, STAGES + 1) for kind in ("txt", "id")}
    strange = set(os.listdir(project.path("results"))) - expected
    check(not strange, f"left in the workspace: {sorted(strange)}")


def _written(project, stage):
    return project.exists(f"results/{stage[1:]}.id") and len(project.read(f"results/{stage[1:]}.id")) == len(RANDOM) + 1
