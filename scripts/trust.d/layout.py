"""What the faults must know of the store's inside: which files hold content, the index, temporary things.

Content is looked for by its bytes, so that it is found in a file of its own and in a pack alike. The layout itself
is documented in docs/formats.md.
"""

import contextlib
import json
import os
import sqlite3
import stat
from dataclasses import dataclass

from catalogue import check

SCRATCH = ("tmp", "actions")
"""Folders that hold nothing while no command runs."""

STAGES = "tmp"
"""The folder in which stages are at work, each in one that its run made."""

INDEX = "index.sqlite"
QUARANTINE = "quarantine"
CONTENT = ("objects", "packs")


@dataclass
class Place:
    """Where the store keeps some content: the bytes of a file from an offset on."""

    path: str
    offset: int
    length: int

    @property
    def is_alone(self):
        """Whether the file holds nothing else."""
        return os.path.getsize(self.path) == self.length


def places(store, content):
    """Every place that holds these bytes. They must be of a kind that stands nowhere else by chance."""
    found = []
    for folder in CONTENT:
        for path in files(f"{store}/{folder}"):
            with open(path, "rb") as file:
                offset = file.read().find(content)
            if offset >= 0:
                found.append(Place(path, offset, len(content)))
    return found


def place(store, content):
    found = places(store, content)
    check(len(found) == 1, f"the store holds {len(found)} copies of a content of {len(content)} bytes, not one")
    return found[0]


def overwrite(place, content):
    """Puts other bytes of equal length there; size, times, mode and owner stay as they were."""
    assert len(content) == place.length
    before = os.stat(place.path)
    os.chmod(place.path, 0o644)
    with open(place.path, "r+b") as file:
        file.seek(place.offset)
        file.write(content)
    os.chmod(place.path, stat.S_IMODE(before.st_mode))
    os.utime(place.path, ns=(before.st_atime_ns, before.st_mtime_ns))


def truncate(place):
    """Cuts the file off where the content begins."""
    mode = os.stat(place.path).st_mode
    os.chmod(place.path, 0o644)
    os.truncate(place.path, place.offset)
    os.chmod(place.path, stat.S_IMODE(mode))


def files(folder):
    return [f"{parent}/{name}" for parent, _, names in os.walk(folder) for name in names]


def at_work(store):
    """The files that stages at work have, and those that killed runs left."""
    return set(files(f"{store}/{STAGES}"))


def leftovers(store):
    """What commands left lying in the store that hold nothing while none runs."""
    return [path for folder in SCRATCH for path in files(f"{store}/{folder}")]


def quarantined(store):
    return files(f"{store}/{QUARANTINE}")


@contextlib.contextmanager
def index(store):
    """A connection to the index of a store, as another process would have it; closed with the context."""
    with contextlib.closing(sqlite3.connect(f"{store}/{INDEX}", isolation_level=None, timeout=30)) as connection:
        yield connection


def index_files(store):
    return [f"{store}/{name}" for name in os.listdir(store) if name.startswith(INDEX)]


def replace_in_results(store, sha256, artifact):
    """Puts another artifact in the place of one in every recorded result; returns how many results that changed."""
    def replaced(value):
        if isinstance(value, dict):
            if value.get("sha256") == sha256:
                return artifact
            return {key: replaced(member) for key, member in value.items()}
        return [replaced(member) for member in value] if isinstance(value, list) else value

    changed = 0
    with index(store) as connection:
        for row in connection.execute("SELECT key, result FROM results").fetchall():
            new = json.dumps(replaced(json.loads(row[1])), sort_keys=True, separators=(",", ":"))
            if new != row[1]:
                connection.execute("UPDATE results SET result = ? WHERE key = ?", (new, row[0]))
                changed += 1
    return changed
