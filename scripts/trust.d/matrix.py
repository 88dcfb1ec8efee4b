"""One run after another, each disturbed at another system call."""

from catalogue import check
from samples import chain_project, check_end
import tracing

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
            failures.setdefault(str(failure)[:160], []).append(number)
        else:
            lab.discard(project)
    for message, numbers in failures.items():
        lab.note(f"at {numbers[:8]}{' ...' if len(numbers) > 8 else ''} ({len(numbers)}): {message}")
    check(not failures, f"{sum(map(len, failures.values()))} of {len(points)} points; {'; '.join(lab.notes)}")
    return f"{len(points)} of {total} points"
