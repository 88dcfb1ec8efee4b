#!/usr/bin/env python3
"""Times the matrix products of the shapes beside PyTorch and numpy's OpenBLAS, all sides in turn.

Y[m,n] = X[m,k] W[n,k]^T in GFLOP/s. A turn is some milliseconds of one product on one side, and its figure the median
of the runs in it; the table shows the median of the turns. Lemma takes W in float32 in either precision and packs it
on every call, as training does (`packed`: before, as decoding does); the result is float32. PyTorch takes and gives
bfloat16. Corners of every result are compared: the operands are exact in bfloat16.

    Benchmarks/core/products.py
    Benchmarks/core/products.py --layouts nt,nn,tn,packed --json products.json
    Benchmarks/core/products.py --rounds 1 --milliseconds 20 --shapes 512x576x576

Needs core-timer (swift build -c release --static-swift-stdlib --product core-timer), gcc, and PyTorch and numpy (PyPI:
torch, numpy) in the interpreter that runs this script or in the one that PEER_PYTHON names.
"""

import argparse
import json
import os
import statistics
import sys
import time

import common

PYTHON = os.environ.get("PEER_PYTHON", sys.executable)
# What SmolLM2-135M, GPT-2 and a small model multiply, and a square.
SHAPES = [
    "512x576x576", "2048x192x576", "2048x576x576", "2048x1536x576", "2048x576x1536", "1024x768x768", "1024x3072x768",
    "1024x768x3072", "4096x256x256", "4096x1024x256", "512x49152x576", "576x576x2048", "1536x576x2048",
    "2048x2048x2048",
]
SIDES = {
    "Lemma float32": [common.TIMER, "products", "float32"],
    "PyTorch float32": [PYTHON, __file__, "--serve", "torch-float32"],
    "numpy float32": [PYTHON, __file__, "--serve", "numpy-float32"],
    "Lemma bfloat16": [common.TIMER, "products", "bfloat16"],
    "PyTorch bfloat16": [PYTHON, __file__, "--serve", "torch-bfloat16"],
}
# Spinning workers of one side have gone to sleep when the next begins.
PAUSE = 0.05


def values(count, salt):
    """The numbers of core-timer: multiples of 1/256 from -1/2 to 1/2."""
    import numpy

    index = numpy.arange(count, dtype=numpy.uint32) + numpy.uint32(salt)
    return ((index * numpy.uint32(2654435761)) >> numpy.uint32(24)).astype(numpy.float32) / 256 - 0.5


def serve(side):
    """Answers lines as `core-timer products` does."""
    import numpy

    library, precision = side.split("-")
    if library == "torch":
        import torch

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        # Reused, or the time of a product is that of fresh memory.
        multiply = lambda a, b, c: torch.mm(a, b, out=c)
        new = lambda array: torch.from_numpy(array).to(getattr(torch, precision))
    else:
        multiply = lambda a, b, c: numpy.matmul(a, b, out=c)
        new = lambda array: array
    for line in sys.stdin:
        layout, *sizes = line.split()
        m, n, k, milliseconds = map(int, sizes)
        a, b = new(values(m * k, 1)), new(values(n * k, 2))
        if layout == "tn":
            a, b = a.reshape(k, m).T, b.reshape(k, n)
        else:
            a, b = a.reshape(m, k), b.reshape(k, n) if layout == "nn" else b.reshape(n, k).T
        c = new(numpy.empty((m, n), dtype=numpy.float32))
        multiply(a, b, c)
        seconds = []
        end = time.perf_counter() + milliseconds / 1000
        while len(seconds) < 3 or time.perf_counter() < end:
            began = time.perf_counter()
            multiply(a, b, c)
            seconds.append(time.perf_counter() - began)
        corners = [float(c[row, column]) for row in (0, m - 1) for column in (0, n - 1)]
        print(json.dumps({"gflops": 2 * m * n * k / sorted(seconds)[len(seconds) // 2] / 1e9, "corners": corners}),
              flush=True)


def check(shape, side, corners, reference):
    """Equal but for the order of sums, and for rounding where the result is bfloat16."""
    tolerance = 1e-2 if side == "PyTorch bfloat16" else 1e-4
    for found, expected in zip(corners, reference):
        if abs(found - expected) > tolerance * max(1, abs(expected)):
            sys.exit(f"error: {side} finds {corners} for {shape}, not {reference}")


def measure(layout, shape, talkers, options):
    rates = {side: [] for side in talkers}
    reference = None
    for _ in range(options.rounds):
        for side, talker in talkers.items():
            theirs = layout if side.startswith("Lemma") or layout != "packed" else "nt"
            answer = talker.ask(f"{theirs} {shape.replace('x', ' ')} {options.milliseconds}")
            reference = reference or answer["corners"]
            check(shape, side, answer["corners"], reference)
            rates[side].append(answer["gflops"])
            time.sleep(PAUSE)
    return {side: common.summary(values) for side, values in rates.items()}


def row(shape, found, peak):
    cells = [shape]
    for precision in common.PRECISIONS:
        rates = {side: value["median"] for side, value in found.items() if side.endswith(precision)}
        cells += [f"{rate:.0f}" for rate in rates.values()]
        peers = [rate for side, rate in rates.items() if not side.startswith("Lemma")]
        own = rates[f"Lemma {precision}"]
        cells += [f"{own / max(peers):.2f}" if peers else "", f"{own / peak[precision]:.0%}"]
    return cells


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", default=",".join(SHAPES), help="MxNxK, even numbers")
    parser.add_argument("--layouts", default="nt", help="of nt, nn, tn, packed (see CoreTimer/Products.swift)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--milliseconds", type=int, default=300, help="of a turn")
    parser.add_argument("--peers", default="PyTorch,numpy")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", help="the file that takes all figures")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return serve(options.serve)
    common.require_timer()
    results = {"machine": common.machine(options.threads), "peak_gflops": common.peak(options.threads), "products": {}}
    peak = results["peak_gflops"]
    sides = {side: words for side, words in SIDES.items() if side.split()[0] in ["Lemma"] + options.peers.split(",")}
    talkers = {
        side: common.Talker(words + ([str(options.threads)] if words[0] == common.TIMER else []), options.threads)
        for side, words in sides.items()}
    text = [common.describe(results["machine"]),
            f"peak of registers: {peak['float32']:.0f} GFLOP/s float32, {peak['bfloat16']:.0f} bfloat16"]
    for layout in options.layouts.split(","):
        header = [f"{layout}: M x N x K"]
        for precision in common.PRECISIONS:
            header += [side for side in sides if side.endswith(precision)] + ["ratio", "of peak"]
        rows, shares = [], {precision: [] for precision in common.PRECISIONS}
        for shape in options.shapes.split(","):
            found = measure(layout, shape, talkers, options)
            results["products"][f"{layout} {shape}"] = found
            rows.append(row(shape, found, peak))
            for precision in common.PRECISIONS:
                shares[precision].append(found[f"Lemma {precision}"]["median"] / peak[precision])
            common.say(f"{layout} {shape}: " + ", ".join(f"{side} {value['median']:.0f}"
                                                         for side, value in found.items()))
        text += ["", common.table(header, rows), "", "Lemma's median share of the peak: " + ", ".join(
            f"{precision} {statistics.median(values):.0%}" for precision, values in shares.items())]
    for talker in talkers.values():
        talker.close()
    common.finish("\n".join(text), results, options.json)


if __name__ == "__main__":
    main()
