"""One run after another, each disturbed at another system call."""

import re

from catalogue import check
import tracing
from samples import chain_project, check_end

QUICK_POINTS = 8


def count_calls(project, matches):
    """How many matching calls an undisturbed run makes."""
    count = 0

    def decide(call):
        nonlocal count
        count += bool(matches(call))

    tracing.trace(project, "run", decide=decide).succeeded()
    return count


def sample(total, quick):
    """The points of a matrix: all, or a few spread over it."""
    if not quick or total <= QUICK_POINTS:
        return list(range(1, total + 1))
    return sorted({1 + round(step * (total - 1) / (QUICK_POINTS - 1)) for step in range(QUICK_POINTS)})


def every_call(lab, matches, disturb):
    """Calls `disturb(number, project)` for every matching call of a five-stage run, each in a fresh project.

    Returns the matrix's size in words. All failures are collected, for one cause often shows at many points.
    """
    undisturbed = chain_project(lab)
    total = count_calls(undisturbed, matches)
    check_end(undisturbed)
    points = sample(total, lab.quick)
    failures = {}
    for number in points:
        project = chain_project(lab)
        try:
            disturb(number, project)
        except Exception as failure:
            failures.setdefault(_without_names(str(failure), project)[:200], []).append(number)
        else:
            lab.discard(project)
    causes = [f"{len(numbers)} from {numbers[0]} on: {message}" for message, numbers in failures.items()]
    check(not failures, f"{sum(map(len, failures.values()))} of {len(points)} points; {'; '.join(causes)}")
    return f"{len(points)} of {total} points"


def _without_names(message, project):
    """A message without what differs from one project to the next."""
    return re.sub(r"[0-9a-f]{32}", "KEY", message.replace(project.folder, ""))
