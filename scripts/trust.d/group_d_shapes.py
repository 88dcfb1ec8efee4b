"""Group D: names and shapes of files that are rare, and lawful."""

import json
import os
import shutil
import socket
import stat
import subprocess
import unicodedata

import layout
from catalogue import check, fault
from samples import single

COPY = "cp -a ${in.i} ${out.o}"

NAMES = [
    b"line\nbreak", b"tab\there", b"escape \x1b[31mred\x1b[0m", b"-rf", b"x" * 255, b"not utf-8 \xff\xfe", b" ", b"'\"",
    b"$(touch pwned)", b"*", b".hidden", b"back\\slash", b"bell\x07", b"right to left \xe2\x80\xae txt", b"${in.i}",
]


def _folder_project(lab):
    return lab.project(text=single(COPY, source="d", result="copy"))


def _tree(root):
    """Everything in a folder: by path its type, whether it is executable, and its bytes or target."""
    tree = {}
    root = os.fsencode(root)
    for parent, folders, names in os.walk(root):
        for name in folders + names:
            path = os.path.join(parent, name)
            status = os.lstat(path)
            kind = stat.S_IFMT(status.st_mode)
            content = os.readlink(path) if kind == stat.S_IFLNK else b""
            if kind == stat.S_IFREG:
                with open(path, "rb") as file:
                    content = file.read()
            tree[path[len(root) + 1:]] = (kind, kind == stat.S_IFREG and bool(status.st_mode & 0o100), content)
    return tree


def _comes_back(project):
    """The copy that the stage made is the source; so is the one that the store gives back."""
    project.run()
    expected = _tree(project.path("d"))
    for again in ("made", "restored"):
        found = _tree(project.path("copy"))
        check(found == expected, f"{again} otherwise: {sorted(set(found.items()) ^ set(expected.items()))[:2]}")
        shutil.rmtree(os.fsencode(project.path("copy")))
        check(project.run().ran == [], "executed again to restore")
    project.audit("s")


@fault("F43", "15 names: newline, tab, ESC, leading dash, 255 bytes, not UTF-8, quotes, `$( )`, right-to-left marks",
       "kept byte for byte; printed without a control character")
def odd_names(lab):
    """Files have names that few programs expect."""
    project = _folder_project(lab)
    for number, name in enumerate(NAMES):
        project.write(b"d/" + name, b"%d\n" % number)
        if len(name) < 200:
            project.write(b"d/folder " + name + b"/" + name, b"%d\n" % number)
    _comes_back(project)
    check(not project.exists("pwned"), "a name was executed")
    project.write(b"d/" + NAMES[2], b"edited\n")
    said = [project.lemma(*words) for words in (["status"], ["why", "s"], ["run"], ["audit", "s"], ["show", "s"])]
    os.mkfifo(project.path(b"d/pipe \x1b[2J\xff"))
    said.append(project.lemma("run").failed())
    for ended in said:
        for output in (ended.out, ended.error):
            bad = [byte for byte in output.replace(b"\n", b"").replace(b"\t", b"") if byte < 32 or byte == 127]
            check(not bad, f"'{ended.name}' printed control characters: {output[:200]!r}")
            try:
                text = output.decode()
            except UnicodeDecodeError:
                check(False, f"'{ended.name}' printed what is not UTF-8")
            check("\u202e" not in text, f"'{ended.name}' printed a mark that turns the text round")
    return f"{len(NAMES)} names"


@fault("F44", "names that differ in case only, and in Unicode normalisation only", "both kept")
def colliding_names(lab):
    """Names collide on other people's file systems."""
    project = _folder_project(lab)
    pairs = [("Data", "data"), ("é", unicodedata.normalize("NFD", "é")), ("straße", "strasse"), ("ﬁ", "fi")]
    for first, second in pairs:
        project.write(f"d/{first}", "first\n")
        project.write(f"d/{second}", "second\n")
    check(len(os.listdir(project.path("d"))) == 2 * len(pairs), "this file system lets them collide")
    _comes_back(project)


@fault("F45", "a FIFO, a socket, a device in a source folder, as a source, and as an output", "an error, at once")
def special_files(lab):
    """A folder holds a file without content, whose reading may never end."""
    makers = {"fifo": os.mkfifo, "socket": _socket}
    if os.geteuid() == 0:
        makers["device"] = lambda path: os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5))
    for kind, make in makers.items():
        project = _folder_project(lab)
        project.write("d/plain", "1\n")
        make(project.path(f"d/{kind}"))
        project.lemma("run", timeout=20).failed(kind)
        project.write("lemma.yaml", single(source=f"d/{kind}"))
        project.lemma("run", timeout=20).failed(kind)
        os.remove(project.path(f"d/{kind}"))
        project.write("lemma.yaml", single("mkfifo ${out.o}", source="d/plain"))
        project.lemma("run", timeout=20).failed()
        check(not project.exists("out.txt"), "a FIFO became an output")
    return ", ".join(makers)


def _socket(path):
    # An address of a socket may be 107 bytes long.
    folder = os.getcwd()
    os.chdir(os.path.dirname(path))
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(os.path.basename(path))
    finally:
        os.chdir(folder)


@fault("F46", "links outside, to an absolute path, to nothing, to themselves in a source folder; a link as an output",
       "recorded as links, or refused; never followed out")
def links(lab):
    """A folder holds symbolic links."""
    project = _folder_project(lab)
    outside = lab.folder("outside")
    with open(f"{outside}/secret", "w") as file:
        file.write("canary behind a link\n")
    project.write("d/plain", "1\n")
    for name, target in (("absolute", f"{outside}/secret"), ("up", "../../outside"), ("dangling", "nowhere"),
                         ("loop", "loop"), ("inside", "plain"), ("folder", outside)):
        os.symlink(target, project.path(f"d/{name}"))
    _comes_back(project)
    found = subprocess.run(["grep", "-rl", "canary behind", project.store], capture_output=True)
    check(not found.stdout, "a link was followed out")
    project.write("lemma.yaml", single(f"ln -s {outside}/secret ${{out.o}}", source="d/plain"))
    project.lemma("run").failed("link")


@fault("F47", "a folder of a million files; a folder nested 5,000 deep",
       "kept, in bounded memory; or refused with an error")
def many_files(lab):
    """A folder is very wide or very deep."""
    count = 5_000 if lab.quick else 1_000_000
    project = lab.project(text=single("find ${in.i} -type f | wc -l > ${out.o}", source="d"))
    for folder in range(count // 1000):
        os.makedirs(project.path(f"d/{folder}"))
        for number in range(1000):
            with open(project.path(f"d/{folder}/{number}"), "wb") as file:
                file.write(b"%d\n" % (number % 7))
    ended = project.lemma("run", timeout=1800).succeeded()
    check(project.read("out.txt") == b"%d\n" % count, f"counted {project.read('out.txt')}")
    check(ended.peak < 1 << 30, f"it took {ended.peak >> 20} MiB of memory")
    deep = _folder_project(lab)
    os.mkdir(deep.path("d"))
    here = os.open(deep.path("d"), os.O_RDONLY)
    for _ in range(5000):
        os.mkdir("x", dir_fd=here)
        below = os.open("x", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    ended_deep = deep.lemma("run")
    if ended_deep.status != 0:
        ended_deep.failed()
    depth = "kept" if ended_deep.status == 0 else "refused: " + ended_deep.error.decode().splitlines()[-2][:70]
    return f"{count} files, {ended.peak >> 20} MiB; 5,000 deep {depth}"


@fault("F48", "an empty file, an empty folder, an executable file, a folder within a folder", "kept")
def empty_things(lab):
    """What is empty, and what may be executed, is content too."""
    project = _folder_project(lab)
    project.write("d/empty", b"")
    os.makedirs(project.path("d/no/thing"))
    os.chmod(project.write("d/program", "#!/bin/sh\n"), 0o755)
    _comes_back(project)
    os.chmod(project.path("d/program"), 0o644)
    check(project.run().ran == ["s"], "a change of the execute bit is overlooked")
    os.rmdir(project.path("d/no/thing"))
    check(project.run().ran == ["s"], "an empty folder that went is overlooked")


@fault("F49", "a sparse file of 100 GB with a store of 64 MiB; one of more than 4 GiB whose last bytes count",
       "an error and nothing left behind; right")
def huge_files(lab):
    """A file is larger than the disk, or than 32 bits can say."""
    text = single("tail -c 6 ${in.i} > ${out.o}", source="huge")
    small = lab.project(store=f"{lab.tmpfs('64m')}/cache", text=text)
    _sparse(small.path("huge"), 100 << 30)
    small.lemma("run").failed("space")
    check(not layout.leftovers(small.store), "left behind: what did not fit")
    if lab.quick:
        return "only the first part"
    project = lab.project(text=text)
    _sparse(project.path("huge"), (4 << 30) + 4096)
    project.run(timeout=600)
    check(project.read("out.txt") == b"first\n", "the end of the file is wrong")
    digest = subprocess.run(["sha256sum", project.path("huge")], capture_output=True, text=True).stdout.split()[0]
    check(digest in project.lemma("show", "s", "--json").said, "the digest is not the file's")
    with open(project.path("huge"), "r+b") as file:
        file.seek(-6, os.SEEK_END)
        file.write(b"other\n")
    project.run(timeout=600)
    check(project.read("out.txt") == b"other\n", "an edit behind 4 GiB is overlooked")


def _sparse(path, size):
    with open(path, "wb") as file:
        file.truncate(size)
        file.seek(-6, os.SEEK_END)
        file.write(b"first\n")


@fault("F50", "JSON lines: none, one, no final newline, CRLF, a byte order mark, blank lines, a NUL, half a line",
       "the count and the identifiers of the rows exact, or an error with line and column")
def odd_rows(lab):
    """A file of rows is written as some editor likes it."""
    rows = [_row(number) for number in range(3)]
    plain = b"\n".join(rows) + b"\n"
    expected = _rows_of(lab, plain)
    check(len(expected) == 3, f"{len(expected)} rows of 3")
    same = {
        "no final newline": plain[:-1], "CRLF": plain.replace(b"\n", b"\r\n"),
        "byte order mark": b"\xef\xbb\xbf" + plain, "blank lines": plain.replace(b"\n", b"\n\n"),
    }
    for what, content in same.items():
        check(_rows_of(lab, content) == expected, f"{what} changes the rows")
    check(_rows_of(lab, rows[0]) == expected[:1], "one row is wrong")
    none = _rows_project(lab, b"")
    ended = none.lemma("run")
    if ended.status != 0:
        ended.failed("rows")
    else:
        check(none.read("rows.jsonl") == b"", "no rows became some")
    for what, content in {"NUL": plain[:40] + b"\0" + plain[40:], "half a line": plain[:-30]}.items():
        _rows_project(lab, content).lemma("run").failed("rows-in.jsonl:")
    return f"{len(same) + 5} files"


def _row(number):
    text = "It is <<{0}+1={1}>>{1}.\n#### {1}".format(number, number + 1)
    return json.dumps({"question": f"What is {number} + 1?", "answer": text}).encode()


def _rows_project(lab, content):
    project = lab.project(text=(
        "pipeline: rows\nstages:\n  r:\n    uses: gsm8k\n    in: { file: rows-in.jsonl }\n"
        "    out: { rows: rows.jsonl }\n"))
    project.write("rows-in.jsonl", content)
    return project


def _rows_of(lab, content):
    project = _rows_project(lab, content)
    project.run()
    return [(row["id"], row["problem"]) for row in map(json.loads, project.read("rows.jsonl").splitlines())]
