#!/usr/bin/env python3
"""Times training steps of Lemma beside PyTorch, eager and compiled, in float32 and bfloat16, all in turn.

A step is forward, backward, clipping and AdamW over the same number of tokens on both sides, with the loss on all of
them; the models have the same parameters, counted on both sides. Every side is a process of its own, so that its
peak memory is its own; the sides take turns, round by round, and the first steps of each process are not counted.
A side's share of the peak is its model FLOPs (6 for each weight of a product and token, and causal attention)
over what multiply-adds in registers reach on the same threads, measured in the same run.

    Benchmarks/core/train.py                                  # all shapes
    Benchmarks/core/train.py --shapes 1m,10m --rounds 5 --json train.json
    Benchmarks/core/train.py --shapes tiny --rounds 1         # does it run at all

Needs core-timer (swift build -c release --static-swift-stdlib --product core-timer), gcc and g++, and PyTorch
(PyPI: torch, its CPU build) in the interpreter that runs this script or in the one that PEER_PYTHON names.
"""

import argparse
import json
import os
import sys
import tempfile

import common

PYTHON = os.environ.get("PEER_PYTHON", sys.executable)
WARM_UP = 2
# Counted steps of a process, so that one takes some seconds at least.
STEPS = {"1m": 20, "10m": 8, "135m": 3, "gpt2": 6}
PEERS = ["eager", "compile"]
# `-tuned`: memory is kept by malloc and asked for in huge pages, where the libraries' defaults give it back each step.
TUNED = {
    "THP_MEM_ALLOC_ENABLE": "1",
    "GLIBC_TUNABLES": "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=68719476736:glibc.malloc.top_pad=268435456",
}


def flops_per_token(shape):
    """Multiply-adds counted as two, of forward and backward: three times those of forward."""
    width, head = shape["hidden_size"], shape["head_dim"]
    query = shape["num_attention_heads"] * head
    keys_values = 2 * shape["num_key_value_heads"] * head
    matrices = 2 if shape["model_type"] == "gpt2" else 3
    layer = width * (query + keys_values) + query * width + matrices * width * shape["intermediate_size"]
    # A query looks at half the context on average, once for scores and once for values.
    attention = 2 * 2 * (shape["context"] / 2) * query
    layers = shape["num_hidden_layers"]
    return 6 * (layers * layer + shape["vocab_size"] * width) + 3 * layers * attention


def run_side(side, precision, name, shape, threads, steps, cache):
    if side == "lemma":
        return common.ask([common.TIMER, "train", name, precision, threads, steps], threads)
    mode, _, tuned = side.partition("-")
    words = [PYTHON, common.HERE / "torch_train.py", json.dumps(shape), mode, precision, threads, steps]
    return common.ask(words, threads, dict(TUNED if tuned else {}, TORCHINDUCTOR_CACHE_DIR=cache))


def measure(name, shape, sides, options, cache):
    """Tokens per second of every counted step and the peak memory, by side."""
    rates = {side: [] for side in sides}
    peaks = {side: 0.0 for side in sides}
    steps = WARM_UP + (options.steps or STEPS.get(name, 6))
    for turn in range(options.rounds):
        for side in sides:
            answer = run_side(*side, name, shape, options.threads, steps, cache)
            expected = shape["batch"] * shape["context"]
            if answer["parameters"] != shape["parameters"] or set(answer["tokens"]) != {expected}:
                sys.exit(f"error: {side} has {answer['parameters']} parameters and steps of {set(answer['tokens'])} "
                         f"tokens, not {shape['parameters']} and {expected}")
            rates[side] += [expected / seconds for seconds in answer["seconds"][WARM_UP:]]
            peaks[side] = max(peaks[side], answer["peak_mib"])
            common.say(f"{name} round {turn + 1}: {' '.join(side)}: "
                       f"{common.summary(rates[side])['median']:,.0f} tokens/s, {peaks[side]:,.0f} MiB")
    return {side: {"tokens_per_second": common.summary(rates[side]), "peak_mib": peaks[side]} for side in sides}


def best_peer(found, precisions):
    rates = [value["tokens_per_second"]["median"] for (side, precision), value in found.items()
             if side != "lemma" and precision in precisions]
    return max(rates, default=None)


def rows(shape, found, peak):
    for (side, precision), value in found.items():
        rate = value["tokens_per_second"]
        value["share_of_peak"] = rate["median"] * flops_per_token(shape) / 1e9 / peak[precision]
        ratios = ["", ""]
        if side == "lemma":
            peers = [best_peer(found, [precision]), best_peer(found, common.PRECISIONS)]
            value["ratio_same_precision"], value["ratio_any"] = [peer and rate["median"] / peer for peer in peers]
            ratios = [common.figure(value[key]) for key in ["ratio_same_precision", "ratio_any"]]
        name = "Lemma" if side == "lemma" else f"PyTorch {side}"
        yield [f"{name} {precision}", common.figure(rate["median"]), common.figure(rate["best"]),
               f"{value['peak_mib']:,.0f}", f"{value['share_of_peak']:.0%}", *ratios]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", default="1m,10m,135m,gpt2")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="counted steps of a process; else what the shape needs")
    parser.add_argument("--peers", default=",".join(PEERS), help="of eager, compile, and both with -tuned")
    parser.add_argument("--precisions", default=",".join(common.PRECISIONS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", help="the file that takes all figures")
    options = parser.parse_args()
    common.require_timer()
    shapes = common.ask([common.TIMER, "shapes"])
    results = {"machine": common.machine(options.threads), "peak_gflops": common.peak(options.threads), "shapes": {}}
    peak = results["peak_gflops"]
    text = [common.describe(results["machine"]),
            f"peak of registers: {peak['float32']:.0f} GFLOP/s float32, {peak['bfloat16']:.0f} bfloat16"]
    sides = [(side, precision) for side in ["lemma"] + [peer for peer in options.peers.split(",") if peer]
             for precision in options.precisions.split(",")]
    with tempfile.TemporaryDirectory() as cache:
        for name in options.shapes.split(","):
            shape = shapes[name]
            found = measure(name, shape, sides, options, cache)
            header = [f"{name}: {shape['parameters'] / 1e6:.1f}M, {shape['batch']} x {shape['context']}",
                      "tokens/s, median", "best", "peak MiB", "of peak", "to best of its precision", "to best of any"]
            text += ["", common.table(header, rows(shape, found, peak))]
            results["shapes"][name] = dict(
                shape, flops_per_token=flops_per_token(shape),
                sides={" ".join(side): value for side, value in found.items()})
    common.finish("\n".join(text), results, options.json)


if __name__ == "__main__":
    main()
