"""A project that the real command is run on, as a person would. Knows nothing of the store's inside."""

import json
import os
import resource
import select
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field

from catalogue import Failed, check

TIMEOUT = 120
"""Seconds after which a command is taken to hang. Far above what any takes: no test measures time."""


@dataclass
class Ended:
    """A command that came to its end."""

    words: list
    status: int
    out: bytes
    error: bytes
    peak: int = 0  # bytes of memory, of the command alone

    @property
    def said(self):
        return (self.out + self.error).decode(errors="backslashreplace")

    def succeeded(self):
        check(self.status == 0, f"'{self.name}' ended with {self.status}: {self.said.strip()[-300:]}")
        return self

    def failed(self, *wanted):
        """It ended with an error of its own, which says every wanted word: no crash, no hang, no silence."""
        check(self.status != 0, f"'{self.name}' ended well where an error is due")
        check(0 < self.status < 70, f"'{self.name}' crashed with {self.status}: {self.said.strip()[-300:]}")
        check(self.said.strip(), f"'{self.name}' ended with {self.status} and no message")
        for word in wanted:
            check(word in self.said, f"the message does not say '{word}': {self.said.strip()[-300:]}")
        return self

    @property
    def name(self):
        return " ".join(["lemma"] + self.words[1:3])


@dataclass
class Run:
    """What `lemma run --json` said."""

    record: dict
    outcomes: dict = field(init=False)

    def __post_init__(self):
        self.outcomes = {stage["stage"]: stage["outcome"] for stage in self.record["stages"]}

    @property
    def ran(self):
        """The stages that were executed, in their order."""
        return [stage for stage, outcome in self.outcomes.items() if outcome == "ran"]

    @property
    def digests(self):
        """The SHA-256 of every output, by stage and name."""
        return {
            f"{stage['stage']}.{name}": artifact["sha256"]
            for stage in self.record["stages"] for name, artifact in (stage["outputs"] or {}).items()
        }

    @property
    def keys(self):
        return {stage["stage"]: stage["action_key"] for stage in self.record["stages"]}


class Project:
    def __init__(self, program, folder, store=None, text=None):
        self.program = program
        self.folder = folder
        self.store_argument = store
        if text:
            self.write("lemma.yaml", text)

    @property
    def store(self):
        return self.store_argument or f"{self.folder}/cache"

    # Files

    def path(self, name=""):
        if isinstance(name, bytes):
            return os.fsencode(self.folder) + b"/" + name
        return f"{self.folder}/{name}" if name else self.folder

    def write(self, name, content):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        return path

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def exists(self, name):
        return os.path.lexists(self.path(name))

    # The command

    def words(self, *words):
        store = ["--store", self.store_argument] if self.store_argument and words[0] not in {"check"} else []
        return [self.program, *words, *store]

    def environment(self, extra=None):
        return {
            "PATH": os.environ["PATH"], "HOME": self.folder, "TERM": "dumb", "LANG": "C.UTF-8", "LEMMA_TRUST": "1",
            **(extra or {}),
        }

    def lemma(self, *words, timeout=TIMEOUT, **keywords):
        """Runs a command to its end; keywords as of `start`."""
        with self.start(*words, **keywords) as running:
            return running.wait(timeout)

    def start(self, *words, environment=None, limits=None, user=None, through=()):
        """Starts a command.

        limits: resource limits by number, such as `{resource.RLIMIT_NOFILE: 32}`; user: a user id to run as;
        through: the words of a program that starts it.
        """
        return Running(self, [*through, *self.words(*words)], self.environment(environment), limits or {}, user)

    def run(self, *words, expecting=0, **keywords):
        """`lemma run --json` that ends as expected, and what it recorded."""
        ended = self.lemma("run", "--json", *words, **keywords)
        check(
            ended.status == expecting, f"'run' ended with {ended.status}, not {expecting}: {ended.said.strip()[-400:]}")
        return Run(json.loads(ended.out))

    def plan(self):
        """The verdict on every stage."""
        plan = json.loads(self.lemma("plan", "--json").succeeded().out)
        return {entry["stage"]: entry["verdict"] for entry in plan}

    def audit(self, stage):
        """The chain behind a stage is sound, by the command's own word."""
        return self.lemma("audit", stage).succeeded()

    def has(self, command):
        """Whether this build of lemma knows a command."""
        return self.lemma(command, "--help").status == 0 and f"lemma {command}" in self.lemma(command, "--help").said

    def knows(self, key):
        """Whether a stage may have this key in a pipeline file."""
        return f'"{key}"' in self.lemma("schema").succeeded().out.decode()


class Running:
    """A command that was started and not yet waited for."""

    def __init__(self, project, words, environment, limits, user):
        self.arguments = words
        self.out = tempfile.TemporaryFile()
        self.error = tempfile.TemporaryFile()

        def prepare():
            for limit, value in limits.items():
                resource.setrlimit(limit, (value, value))
            # A limit of the file size ends a program by this signal unless it is ignored, as in most daemons.
            if resource.RLIMIT_FSIZE in limits:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

        self.process = subprocess.Popen(
            words, cwd=project.folder, env=environment, stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.error,
            preexec_fn=prepare if limits else None, user=user, group=user, extra_groups=[] if user else None,
            restore_signals=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.out.close()
        self.error.close()

    def has_ended(self):
        """Whether it has, with its status left for `wait` to take."""
        return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def said(self):
        """What it has printed so far."""
        return _content(self.out) + _content(self.error)

    def wait(self, timeout=TIMEOUT):
        descriptor = os.pidfd_open(self.process.pid)
        try:
            hung = not select.select([descriptor], [], [], timeout)[0]
        finally:
            os.close(descriptor)
        if hung:
            self.kill()
            raise Failed(f"'{' '.join(self.arguments[:2])}' hung for {timeout} s")
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return Ended(
            self.arguments, self.process.returncode, _content(self.out), _content(self.error), usage.ru_maxrss << 10)


def _content(file):
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0)
