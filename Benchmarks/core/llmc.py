#!/usr/bin/env python3
"""Times a training step of Lemma beside llm.c (Karpathy's C code for CPUs): GPT-2 124M, 4 x 64 tokens, float32.

Both sides have random weights and the same tokens a step, and take turns; the first steps of a process are not
counted. llm.c is built as its makefile does, and does not clip gradients; all else of the step is the same.

    LLMC_DIR=llm.c Benchmarks/core/llmc.py --json llmc.json

Needs core-timer (swift build -c release --static-swift-stdlib --product core-timer), gcc with OpenMP, and a checkout
of https://github.com/karpathy/llm.c in LLMC_DIR, which this script does not fetch.
"""

import argparse
import os
import pathlib
import re
import struct
import sys
import tempfile

import common

WARM_UP = 2
PADDED_VOCABULARY = 50304  # of checkpoints from version 3 on


def checkpoint(shape, version, folder):
    """A checkpoint of the right shape whose weights are a hole in the file; returns its path and its padding."""
    width, layers, inner = shape["hidden_size"], shape["num_hidden_layers"], shape["intermediate_size"]
    padding = (PADDED_VOCABULARY - shape["vocab_size"]) * width if version >= 3 else 0
    header = [20240326, version, shape["max_position_embeddings"], shape["vocab_size"], layers,
              shape["num_attention_heads"], width, PADDED_VOCABULARY]
    if inner != 4 * width:
        sys.exit("error: llm.c has no such shape")
    path = os.path.join(folder, "gpt2.bin")
    with open(path, "wb") as file:
        file.write(struct.pack("<256i", *header, *[0] * (256 - len(header))))
        file.truncate(1024 + 4 * (shape["parameters"] + padding))
    return path, padding


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4, help="counted steps of a process")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", help="the file that takes all figures")
    options = parser.parse_args()
    common.require_timer()
    source = pathlib.Path(os.environ.get("LLMC_DIR", "llm.c")) / "train_gpt2.c"
    if not source.exists():
        sys.exit(f"error: {source} is missing: let LLMC_DIR name a checkout of https://github.com/karpathy/llm.c")
    told = re.search(r"model_header\[1\] != (\d+)", source.read_text())
    if not told:
        sys.exit(f"error: {source} does not tell which version of checkpoints it reads")
    shape = common.ask([common.TIMER, "shapes"])["gpt2"]
    tokens = shape["batch"] * shape["context"]
    steps = WARM_UP + options.steps
    results = {"machine": common.machine(options.threads)}
    rates = {"Lemma float32": [], "llm.c": []}
    peaks = dict.fromkeys(rates, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        path, padding = checkpoint(shape, int(told[1]), folder)
        program = common.build("llmc_step.c", ["-Ofast", "-march=native", "-fopenmp", "-DOMP", "-Wno-unused-result",
                                               "-I", str(source.parent.resolve())], folder)
        sides = {
            "Lemma float32": [common.TIMER, "train", "gpt2", "float32", options.threads, steps],
            "llm.c": [program, path, shape["batch"], shape["context"], steps],
        }
        for turn in range(options.rounds):
            for side, words in sides.items():
                answer = common.ask(words, options.threads)
                parameters = answer["parameters"] - (padding if side == "llm.c" else 0)
                found = {answer["tokens"]} if side == "llm.c" else set(answer["tokens"])
                if parameters != shape["parameters"] or found != {tokens}:
                    sys.exit(f"error: {side} has {parameters} parameters and {found} tokens a step")
                rates[side] += [tokens / seconds for seconds in answer["seconds"][WARM_UP:]]
                peaks[side] = max(peaks[side], answer["peak_mib"])
                common.say(f"round {turn + 1}: {side}: {rates[side][-1]:,.0f} tokens/s, loss {answer['loss']:.3f}")
    results["sides"] = {
        side: {"tokens_per_second": common.summary(values), "peak_mib": peaks[side]} for side, values in rates.items()}
    medians = {side: value["tokens_per_second"]["median"] for side, value in results["sides"].items()}
    results["ratio"] = medians["Lemma float32"] / medians["llm.c"]
    rows = [[side, common.figure(medians[side]), common.figure(max(rates[side])), f"{peaks[side]:,.0f}",
             common.figure(results["ratio"]) if side.startswith("Lemma") else ""] for side in rates]
    header = [f"GPT-2 {shape['parameters'] / 1e6:.0f}M, {shape['batch']} x {shape['context']}", "tokens/s, median",
              "best", "peak MiB", "ratio"]
    common.finish(common.describe(results["machine"]) + "\n\n" + common.table(header, rows), results, options.json)


if __name__ == "__main__":
    main()
