"""Writes model files with the libraries that define their formats, and what these make of the values.

usage: model_files.py gguf FOLDER          writes FOLDER/model.gguf and FOLDER/NAME.bin for every tensor
       model_files.py dequantise FILE OUT  writes the values of every tensor of a GGUF file, sorted by name, to OUT
       model_files.py safetensors FOLDER   reads the shards in FOLDER, whose tensors count up from 0 in the order of
                                           the index, and writes FOLDER/theirs.safetensors and NAME.bin
Values in NAME.bin and OUT are float32. Exits 0, or 1 with a message.
"""

import json
import sys
from pathlib import Path

import numpy as np

RANDOM = np.random.default_rng(5)


def write_gguf(folder):
    import gguf

    types = gguf.GGMLQuantizationType
    writer = gguf.GGUFWriter(folder / "model.gguf", "llama")
    writer.add_uint32("llama.block_count", 30)
    writer.add_float32("llama.rope.freq_base", 10000.0)
    writer.add_bool("tokenizer.ggml.add_bos_token", False)
    writer.add_array("tokenizer.ggml.tokens", ["a", "Ġb", "日本"])
    writer.add_array("tokenizer.ggml.token_type", [1, 3, 1])
    writer.add_array("tokenizer.ggml.scores", [0.5, -1.5, 0.25])
    values = (RANDOM.standard_normal((3, 4, 512)) * 0.1).astype(np.float32)
    writer.add_tensor("F32", values)
    values.tofile(folder / "F32.bin")
    half = RANDOM.integers(0, 65536, (7, 64), dtype=np.uint16).view(np.float16)
    writer.add_tensor("F16", half)
    half.astype(np.float32).tofile(folder / "F16.bin")
    for name in "BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q4_K Q5_K Q6_K".split():
        kind = types[name]
        made = [("random", random_blocks(kind, name, gguf))]
        if not name.endswith("_K"):  # The library quantises no others.
            made.append(("quantised", gguf.quantize(values, kind)))
        for how, data in made:
            writer.add_tensor(f"{name}.{how}", data, raw_dtype=kind)
            gguf.dequantize(data, kind).tofile(folder / f"{name}.{how}.bin")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def random_blocks(kind, name, gguf):
    """Blocks of random bytes whose scales are finite."""
    values, size = gguf.GGML_QUANT_SIZES[kind]
    if name == "BF16":
        return RANDOM.integers(0, 0x7F80, (5, 64), dtype=np.uint16).view(np.uint8)
    blocks = RANDOM.integers(0, 256, (40, size), dtype=np.uint8)
    places = {"Q6_K": [208], "Q4_1": [0, 2], "Q5_1": [0, 2], "Q4_K": [0, 2], "Q5_K": [0, 2]}.get(name, [0])
    for place in places:
        scales = RANDOM.integers(0, 0x7C00, 40, dtype=np.uint16) | RANDOM.integers(0, 2, 40, dtype=np.uint16) << 15
        blocks[:, place : place + 2] = scales.astype(np.uint16).view(np.uint8).reshape(40, 2)
    return blocks.reshape(20, 2 * size)


def dequantise(path, out):
    import gguf

    with open(out, "wb") as file:
        for tensor in sorted(gguf.GGUFReader(path).tensors, key=lambda tensor: tensor.name):
            gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32).tofile(file)


def check_safetensors(folder):
    from safetensors.numpy import load_file, save_file

    index = json.loads((folder / "model.safetensors.index.json").read_text())
    start = 0
    for name, shard in sorted(index["weight_map"].items()):
        found = load_file(folder / shard)[name]
        expected = np.arange(start, start + found.size, dtype=np.float32).reshape(found.shape)
        if found.dtype != np.float32 or not np.array_equal(found, expected):
            sys.exit(f"{name} in {shard} is not what was written")
        start += found.size
    if index["metadata"]["total_size"] != 4 * start:
        sys.exit(f"the index says {index['metadata']}, not {4 * start} bytes")
    theirs = {
        "half": RANDOM.standard_normal((3, 5, 7)).astype(np.float16),
        "single": RANDOM.standard_normal((11, 2)).astype(np.float32),
        "scalar": np.array(3.5, dtype=np.float16),
    }
    save_file(theirs, folder / "theirs.safetensors", metadata={"made": "elsewhere"})
    for name, values in theirs.items():
        values.astype(np.float32).tofile(folder / f"{name}.bin")


if __name__ == "__main__":
    command, path = sys.argv[1], Path(sys.argv[2])
    if command == "gguf":
        write_gguf(path)
    elif command == "dequantise":
        dequantise(path, sys.argv[3])
    else:
        check_safetensors(path)
