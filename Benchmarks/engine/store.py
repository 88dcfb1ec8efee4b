#!/usr/bin/env python3
"""Times the store beside git, cp, xxhsum and openssl: a folder of small files and one large file.

Both sides of a row run one after the other, `--rounds` times; a row shows the medians and their ratio. Build the
timer first: swift build -c release --static-swift-stdlib --product store-timer
"""

import argparse
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMER = ROOT / ".build/release/store-timer"


def seconds(command, folder):
    start = time.monotonic()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - start


def row(title, ours, peer_name, peer, rounds, before_each=lambda: None):
    """`ours` and `peer` are functions that return seconds; `peer` may be None."""
    own, other = [], []
    for _ in range(rounds):
        before_each()
        own.append(ours())
        if peer:
            before_each()
            other.append(peer())
    left = statistics.median(own)
    if not other:
        print(f"{title:42} {left:8.3f} s   {peer_name} is not installed", flush=True)
        return
    right = statistics.median(other)
    print(f"{title:42} {left:8.3f} s   {peer_name:22} {right:8.3f} s   ratio {left / right:5.2f}", flush=True)


def make_folder(path, files, size):
    noise = random.Random(7).randbytes(1 << 20)
    for number in range(files):
        if number % 1000 == 0:
            os.makedirs(path / f"{number // 1000:03}")
        offset = number * 977 % (len(noise) - size)
        target = path / f"{number // 1000:03}" / f"f{number:06}.txt"
        target.write_bytes(number.to_bytes(8, "little") + noise[offset : offset + size - 8])


def touch_all(path):
    for folder, _, names in os.walk(path):
        for name in names:
            os.utime(os.path.join(folder, name))
    time.sleep(2.2)  # younger stamps are not believed


def folder_rows(space, options):
    data = space / "folder"
    data.mkdir()
    make_folder(data, options.files, 4096)
    subprocess.run(["git", "init", "-q"], cwd=data, check=True)
    timer = [str(TIMER), str(space / "cache")]
    inside = data / "000"
    git_add = ["git", "-c", "core.looseCompression=0", "add", "-A"]
    status = ["git", "status", "--porcelain"]
    # The repository is beside the folder, so that both look at the same files.
    os.rename(data / ".git", space / "repository")
    git = ["git", f"--git-dir={space}/repository", f"--work-tree={data}"]
    run_git = lambda words: seconds(git + words[1:], data)
    os.sync()

    def fresh():
        shutil.rmtree(space / "cache", ignore_errors=True)
        shutil.rmtree(space / "copy", ignore_errors=True)
        os.sync()

    ingest = lambda: seconds(timer + ["ingest", str(data)], space)
    identify = lambda: seconds(timer + ["identify", str(data)], space)
    count = f"{options.files:,} files"
    row(f"{count}: first ingest, durable", ingest, "cp -a (not durable)",
        lambda: seconds(["cp", "-a", str(data), str(space / "copy")], space), 3, fresh)
    shutil.rmtree(space / "copy", ignore_errors=True)
    run_git(git_add)
    run_git(status)
    ingest()
    row(f"{count}: status, nothing changed", identify, "git status", lambda: run_git(status), options.rounds)
    row(f"{count}: the same, sound in the store", ingest, "git status", lambda: run_git(status), options.rounds)
    row(f"{count}: status after touching all", identify, "git status", lambda: run_git(status), 3,
        lambda: touch_all(data))
    edited = iter(range(10**6))
    row(f"{count}: status after one edit", identify, "git status", lambda: run_git(status), options.rounds,
        lambda: (inside / "f000007.txt").write_text(f"edit {next(edited)}"))


def file_rows(space, options):
    big = space / "big"
    noise = random.Random(8).randbytes(1 << 26)
    with open(big, "wb") as file:
        for number in range(options.gigabytes << 4):
            file.write(number.to_bytes(8, "little") + noise[8:])
    os.sync()
    timer = [str(TIMER), str(space / "cache-of-file")]
    identify = lambda: seconds(timer + ["identify", str(big)], space)
    ingest = lambda: seconds(timer + ["ingest", str(big)], space)

    def fresh():
        shutil.rmtree(space / "cache-of-file", ignore_errors=True)
        os.sync()

    def touched():
        os.utime(big)

    has = lambda name: shutil.which(name) is not None
    name = f"{options.gigabytes} GiB file"
    row(f"{name}: first ingest, durable", ingest, "openssl sha256",
        (lambda: seconds(["openssl", "sha256", str(big)], space)) if has("openssl") else None, 3, fresh)
    ingest()
    row(f"{name}: dirty check by reading", identify, "xxhsum -H2",
        (lambda: seconds(["xxhsum", "-H2", str(big)], space)) if has("xxhsum") else None, options.rounds, touched)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--gigabytes", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=["folder", "file"])
    parser.add_argument("--space", help="a folder to work in, on the disk that is meant")
    options = parser.parse_args()
    if not TIMER.exists():
        sys.exit(f"error: {TIMER} is missing: swift build -c release --static-swift-stdlib --product store-timer")
    with tempfile.TemporaryDirectory(dir=options.space) as folder:
        space = pathlib.Path(folder)
        if options.only != "file":
            folder_rows(space, options)
        if options.only != "folder":
            file_rows(space, options)


if __name__ == "__main__":
    main()
