"""Where a fault is injected: temporary folders, file systems and processes that end with it."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time

from catalogue import Skipped
from project import Project


class Lab:
    """A place of one fault's own. Everything that it makes goes when it closes, in reverse order."""

    def __init__(self, options):
        self.options = options
        self.quick = options.quick
        self.cleanup = contextlib.ExitStack()
        # A path that a link leads to would hide what a test says about paths.
        self.root = os.path.realpath(tempfile.mkdtemp(prefix="lemma-trust-"))
        self.cleanup.callback(self._remove)
        self._count = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cleanup.close()

    def _remove(self):
        if not self.options.keep:
            remove(self.root)

    def folder(self, name="d"):
        """A fresh folder."""
        self._count += 1
        path = f"{self.root}/{self._count}-{name}"
        os.mkdir(path)
        return path

    def discard(self, project):
        """Removes a project that is done with, in a fault that makes many."""
        if not self.options.keep:
            remove(project.folder)

    def project(self, folder=None, store=None, text=None):
        """A project in a fresh folder, or in the one named."""
        return Project(self.options.program, folder or self.folder("project"), store=store, text=text)

    # Tools

    def need_root(self):
        if os.geteuid() != 0:
            raise Skipped("needs root")

    def need(self, *tools):
        missing = [tool for tool in tools if not shutil.which(tool)]
        if missing:
            raise Skipped(f"needs {', '.join(missing)}")

    def command(self, *words, **keywords):
        """Runs a tool of the system that must succeed."""
        done = subprocess.run(words, capture_output=True, text=True, **keywords)
        if done.returncode != 0:
            raise Skipped(f"'{words[0]}' does not work here: {done.stderr.strip()[:120]}")
        return done.stdout

    def start(self, words, **keywords):
        """Starts a process that is ended with the lab at the latest."""
        process = subprocess.Popen(words, **keywords)
        self.cleanup.callback(end, process)
        return process

    # File systems

    def tmpfs(self, size):
        """A file system of `size` (as `mount` writes sizes) in memory."""
        self.need_root()
        path = self.folder("tmpfs")
        self.command("mount", "-t", "tmpfs", "-o", f"size={size}", "none", path)
        self.cleanup.callback(unmount, path)
        return path

    def image(self, kind, mebibytes, *options):
        """A sparse image file with an empty file system of the kind, in memory where there is room.

        options: more words for `mkfs`.
        """
        self.need_root()
        self.need(f"mkfs.{kind}")
        place = tempfile.mkdtemp(prefix="lemma-trust-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.cleanup.callback(shutil.rmtree, place, ignore_errors=True)
        path = f"{place}/{kind}.image"
        with open(path, "wb") as file:
            file.truncate(mebibytes << 20)
        force = {"ext4": ["-q", "-F"], "xfs": ["-q", "-f"], "btrfs": ["-q", "-f"]}[kind]
        self.command(f"mkfs.{kind}", *force, *options, path)
        return path

    @contextlib.contextmanager
    def mounted(self, image, kind):
        """The image's file system, mounted for the length of the context."""
        path = self.folder("mounted")
        # Two file systems of one image share their identity, which xfs refuses unless told.
        options = "loop,nouuid" if kind == "xfs" else "loop"
        self.command("mount", "-t", kind, "-o", options, image, path)
        try:
            yield path
        finally:
            unmount(path)
            if kind == "btrfs":
                subprocess.run(["btrfs", "device", "scan", "--forget"], capture_output=True)


def remove(path):
    """Removes a folder, however deep, and though parts of it are read-only."""
    if subprocess.run(["rm", "-rf", path], capture_output=True).returncode != 0:
        subprocess.run(["chmod", "-R", "u+rwX", path], capture_output=True)
        subprocess.run(["rm", "-rf", path], capture_output=True)


def unmount(path):
    for _ in range(50):
        if subprocess.run(["umount", path], capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    subprocess.run(["umount", "--lazy", path], capture_output=True)


def end(process):
    if process.poll() is None:
        process.kill()
    process.wait()


def wait_until(truth, seconds=20):
    """Waits for something that must become true; returns whether it did."""
    limit = time.monotonic() + seconds
    while not truth():
        if time.monotonic() > limit:
            return False
        time.sleep(0.005)
    return True
