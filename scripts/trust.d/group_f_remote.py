"""Group F: other machines, and who forges. Remotes and served models are not there yet."""

import base64
import json
import os
import shutil

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


HARM = b"harm!\n"


def _hostile_manifests(outside):
    """By what is wrong with them: entries of a folder's manifest, the type before the path. `F` is a file."""
    return {
        "..": [b"F../escaped"], "absolute": [b"F" + outside + b"/escaped"], "empty": [b"F"], "dot": [b"F./escaped"],
        "within": [b"dx", b"Fx/../../escaped"], "link": [b"lx\0" + outside, b"Fx/escaped"],
        "twice": [b"Fescaped", b"Fescaped"], "git": [b"d.git", b"d.git/hooks", b"F.git/hooks/escaped"],
    }


@fault("F62", "as a stage's result, folder manifests with `..`, absolute paths, `.git/hooks/x`, entries below a link",
       "refused before the first byte is written, or made anew")
def hostile_manifest(lab):
    """A stored folder names files outside of itself."""
    outside = lab.folder("outside")
    manifests = _hostile_manifests(os.fsencode(outside))
    refused = 0
    for what, entries in manifests.items():
        project = lab.project(text=single("mkdir ${out.o}; cat ${in.i} > ${out.o}/a", result="folder"))
        project.write("in.txt", HARM)
        run = project.run()
        _replace_result(project, run, _manifest(entries, _input(project, "s")))
        shutil.rmtree(project.path("folder"))
        ended = project.lemma("run")
        escaped = [path for path in layout.files(outside) + layout.files(project.folder) if "escaped" in path]
        check(not escaped, f"{what}: written: {escaped}")
        check(ended.status != 0 or project.read("folder/a") == HARM, f"{what}: something else was served")
        refused += ended.status != 0
    return f"{len(manifests)} manifests: {refused} refused, {len(manifests) - refused} made anew"


def _manifest(entries, file):
    """The stored form of a folder (docs/formats.md), whose files all hold the artifact `file`."""
    heads = {b"F": f"f {file['xxh3']} {file['size']} {file['sha256']} ".encode(), b"d": b"d ", b"l": b"l "}
    return b"lemma tree 1\n" + b"".join(heads[entry[:1]] + entry[1:] + b"\0" for entry in entries)


def _input(project, stage):
    """The artifact that a stage was given, as the record names it."""
    return json.loads(project.lemma("show", stage, "--json").succeeded().out)["action"]["inputs"]["i"]


def _replace_result(project, run, manifest):
    """Makes the index say that the stage's result is the folder of this manifest, which the store has."""
    project.write("carrier", manifest)
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
