"""Group F: other machines, and who forges. Remotes and served models are not there yet."""

import base64
import os
import json

import layout
from catalogue import Skipped, check, fault
from samples import single

NO_REMOTES = "no remotes yet"

FORGED = os.path.join(os.path.dirname(__file__), "forged-pair.json")


@fault("F58", "an object in a remote altered", "refused; another source, or made anew")
def remote_altered(lab):
    """A remote serves other bytes than were put there."""
    raise Skipped(NO_REMOTES)


@fault("F59", "a server that answers with a page, too few bytes, a wrong length, without end, in circles, slowly",
       "an error or another try, bounded")
def remote_lies(lab):
    """A server answers with anything but the object."""
    raise Skipped(NO_REMOTES)


@fault("F60", "kill -9 of an upload", "nothing half is visible")
def upload_killed(lab):
    """An upload dies half way."""
    raise Skipped(NO_REMOTES)


@fault("F61", "two files with one XXH3-128 and one size and other bytes: as sources, as outputs, one after the other",
       "both kept apart, never one for the other")
def forged_pair(lab):
    """Somebody makes a file with the fast digest of another."""
    with open(FORGED) as file:
        pair = [base64.b64decode(content) for content in json.load(file)["files"]]
    check(pair[0] != pair[1] and len(pair[0]) == len(pair[1]), "the fixture is no pair")
    both = lab.project(text=(
        "pipeline: p\nstages:\n"
        "  a: { run: 'cat ${in.i} > ${out.o}', in: { i: a.bin }, out: { o: a.out } }\n"
        "  b: { run: 'cat ${in.i} > ${out.o}', in: { i: b.bin }, out: { o: b.out } }\n"
        "  c: { run: 'cp -R ${in.i} ${out.o}', in: { i: d }, out: { o: d.out } }\n"))
    for name, content in zip(("a", "b"), pair):
        both.write(f"{name}.bin", content)
        both.write(f"d/{name}", content)
    record = both.run().record
    artifacts = [stage["outputs"]["o"] for stage in record["stages"][:2]]
    check(artifacts[0]["xxh3"] == artifacts[1]["xxh3"], "the fixture's files do not share their XXH3-128")
    for again in range(2):
        for name, content in zip(("a", "b"), pair):
            check(both.read(f"{name}.out") == content, f"{name} holds the other's bytes")
            check(both.read(f"d.out/{name}") == content, f"the folder's {name} holds the other's bytes")
            os.remove(both.path(f"{name}.out"))
            os.remove(both.path(f"d.out/{name}"))
        both.run()
    both.audit("c")
    one = lab.project(text=single())
    for content in pair + pair:
        one.write("in.txt", content)
        one.run()
        check(one.read("out.txt") == content, "a wrong hit for the forged file")


@fault("F62", "folder manifests with `..`, absolute paths, `.git/hooks/x` and entries below a link, as a stage's result",
       "refused before the first byte is written")
def hostile_manifest(lab):
    """A stored folder names files outside of itself."""
    outside = lab.folder("outside")
    donor = b"f %s 6 %s "
    written = []
    for what, entries in {
        "..": [b"F../escaped"], "absolute": [b"F" + f"{outside}/escaped".encode()], "middle": [b"dx", b"Fx/../../escaped"],
        "link": [b"lx\0" + outside.encode(), b"Fx/escaped"], "dot": [b"F./escaped"], "empty": [b"F"],
        "double": [b"Fescaped", b"Fescaped"], "git": [b"d.git", b"d.git/hooks", b"F.git/hooks/x"],
    }.items():
        project = lab.project(text=single("mkdir ${out.o}; cat ${in.i} > ${out.o}/a", result="folder"))
        project.write("in.txt", b"harm!\n")
        run = project.run()
        file = _artifact(project, "s", "in")
        manifest = b"lemma tree 1\n"
        for entry in entries:
            kind, path = entry[:1], entry[1:]
            head = {b"F": b"f %s 6 %s " % (file["xxh3"].encode(), file["sha256"].encode()), b"d": b"d ", b"l": b"l "}[kind]
            manifest += head + path + b"\0"
        _replace_result(project, run, manifest)
        before = set(layout.files(outside)) | set(layout.files(project.folder))
        import shutil
        shutil.rmtree(project.path("folder"))
        ended = project.lemma("run")
        new = {path for path in set(layout.files(outside)) | set(layout.files(project.folder)) if "escaped" in path}
        check(not new, f"{what}: written outside: {new}")
        hooks = [path for path in layout.files(project.path("folder")) if ".git/hooks" in path]
        check(not hooks, f"{what}: a git hook was written")
        check(ended.status != 0 or project.read("folder/a") == b"harm!\n", f"{what}: something else was served")
        written.append("refused" if ended.status else "made anew")
    return f"{len(written)} manifests: {written.count('refused')} refused, {written.count('made anew')} made anew"


def _artifact(project, stage, _):
    """The identity of the stage's input, as the record names it."""
    action = json.loads(project.lemma("show", stage, "--json").succeeded().out)["action"]
    return action["inputs"]["i"]


def _replace_result(project, run, manifest):
    """Makes the index say that the stage's result is the folder of this manifest, which the store has."""
    carrier = project.path("carrier")
    with open(carrier, "wb") as file:
        file.write(manifest)
    pipeline = project.read("lemma.yaml")
    project.write("lemma.yaml", single(source="carrier", result="carried").replace("single", "carrier"))
    forged = project.run().record["stages"][0]["outputs"]["o"]
    project.write("lemma.yaml", pipeline)
    old = run.record["stages"][0]["outputs"]["o"]
    changed = layout.replace_in_results(project.store, old["sha256"], {**forged, "type": "folder"})
    check(changed, "the result was not found in the index")


@fault("F63", "one action with other bytes from two machines", "the first kept, the divergence in the ledger")
def divergence(lab):
    """Two machines have different results of one action."""
    raise Skipped(NO_REMOTES)


@fault("F64", "an endpoint that answers 429, 500, half a stream, a refusal, and with another model of the same name",
       "goes on by the row; an error is never kept as an answer; the model that answered is recorded")
def served_model(lab):
    """A served model fails, or is another one."""
    raise Skipped("no served models yet")
