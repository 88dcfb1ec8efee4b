"""The faults that are known, and what came of injecting each. Knows nothing of how a fault is injected."""

import inspect
from dataclasses import dataclass
from typing import Callable


class Failed(Exception):
    """The engine did not do what the catalogue requires."""


class Skipped(Exception):
    """The fault cannot be injected here: the reason is a person's to read."""


def check(truth, message):
    """What a fault requires; the message says what was found instead."""
    if not truth:
        raise Failed(message)


@dataclass
class Fault:
    id: str
    group: str
    injected: str
    required: str
    inject: Callable

    @property
    def meaning(self):
        """The fault in our own words: the docstring of what injects it."""
        return " ".join(inspect.getdoc(self.inject).split())


FAULTS: dict[str, Fault] = {}


def fault(id, injected, required):
    """Enters a function into the catalogue. It takes a `Lab`, raises `Failed` or `Skipped`, and may return a detail."""

    def enter(function):
        assert id not in FAULTS, f"{id} stands twice"
        FAULTS[id] = Fault(id, function.__module__, injected, required, function)
        return function

    return enter


@dataclass
class Outcome:
    fault: Fault
    word: str  # survived, FAILED or skipped
    detail: str
    seconds: float

    @property
    def text(self):
        return f"{self.word}: {self.detail}" if self.detail else self.word

    @property
    def json(self):
        return {
            "id": self.fault.id, "fault": self.fault.meaning, "injected": self.fault.injected,
            "required": self.fault.required, "outcome": self.word, "detail": self.detail,
            "seconds": round(self.seconds, 2),
        }
