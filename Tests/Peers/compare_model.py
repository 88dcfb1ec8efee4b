"""Compares a checkpoint folder with what PyTorch, transformers and tokenizers make of it.

usage: compare_model.py torch|transformers|tokenizers FOLDER

FOLDER holds a checkpoint and, beside it, what Lemma found: expected.json with documents (token lists with the start
of each response), the mean loss and texts with their ids; logits.bin and gradients.safetensors.
Exits 0 if both agree, 1 with a message if not.
"""

import json
import struct
import sys
from pathlib import Path


def fail(message):
    print(message)
    sys.exit(1)


def read_tensors(path, torch):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + size]).items():
        if name != "__metadata__":
            start, end = (8 + size + offset for offset in entry["data_offsets"])
            values = torch.frombuffer(bytearray(data[start:end]), dtype=torch.float32)
            tensors[name] = values.reshape(entry["shape"])
    return tensors


def llama(config, weights, tokens, torch):
    """Logits of one document, written from the LLaMA paper, in double."""
    heads, groups, size = config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"]

    def norm(x, gain):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + config["rms_norm_eps"]) * gain

    def rotate(x):
        half = size // 2
        steps = torch.arange(half, dtype=torch.float64)
        angles = torch.arange(x.shape[1], dtype=torch.float64)[:, None] * config["rope_theta"] ** (-steps / half)
        first, second = x[..., :half], x[..., half:]
        cosine, sine = angles.cos(), angles.sin()
        return torch.cat([first * cosine - second * sine, second * cosine + first * sine], -1)

    def split(x, count):
        return x.view(x.shape[0], count, size).transpose(0, 1)

    x = weights["model.embed_tokens.weight"][tokens]
    for index in range(config["num_hidden_layers"]):

        def weight(name):
            return weights[f"model.layers.{index}.{name}.weight"]

        h = norm(x, weight("input_layernorm"))
        counts = {"q": heads, "k": groups, "v": groups}
        q, k, v = (split(h @ weight(f"self_attn.{name}_proj").T, count) for name, count in counts.items())
        k, v = (t.repeat_interleave(heads // groups, 0) for t in (rotate(k), v))
        scores = rotate(q) @ k.transpose(1, 2) / size**0.5
        mask = torch.ones(scores.shape[1:], dtype=torch.bool).tril()
        out = scores.masked_fill(~mask, float("-inf")).softmax(-1) @ v
        x = x + out.transpose(0, 1).reshape(x.shape[0], heads * size) @ weight("self_attn.o_proj").T
        h = norm(x, weight("post_attention_layernorm"))
        gate, up = h @ weight("mlp.gate_proj").T, h @ weight("mlp.up_proj").T
        x = x + (torch.nn.functional.silu(gate) * up) @ weight("mlp.down_proj").T
    return norm(x, weights["model.norm.weight"]) @ weights["model.embed_tokens.weight"].T


def compare_torch(folder, expected):
    import torch

    config = json.loads((folder / "config.json").read_text())
    tensors = read_tensors(folder / "model.safetensors", torch)
    weights = {name: tensor.double().requires_grad_() for name, tensor in tensors.items()}
    logits, losses = [], []
    for document in expected["documents"]:
        tokens = torch.tensor(document["tokens"])
        found = llama(config, weights, tokens[:-1], torch)
        logits.append(found)
        start = max(document["response_start"], 1)
        losses.append(torch.nn.functional.cross_entropy(found[start - 1 :], tokens[start:], reduction="none"))
    loss = torch.cat(losses).mean()
    loss.backward()
    own = torch.frombuffer(bytearray((folder / "logits.bin").read_bytes()), dtype=torch.float32)
    worst = (torch.cat(logits).flatten() - own).abs().max().item()
    if not worst < 1e-4:
        fail(f"logits differ by {worst}")
    if not abs(loss.item() - expected["loss"]) < 1e-5:
        fail(f"the loss is {loss.item()}, not {expected['loss']}")
    for name, gradient in read_tensors(folder / "gradients.safetensors", torch).items():
        reference = weights[name].grad
        worst = (reference - gradient).abs().max().item()
        if not worst < 1e-4 * max(1.0, reference.abs().max().item()):
            fail(f"the gradient of {name} differs by {worst}")


def compare_transformers(folder, expected):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    own = torch.frombuffer(bytearray((folder / "logits.bin").read_bytes()), dtype=torch.float32)
    with torch.no_grad():
        logits = [model(torch.tensor([d["tokens"][:-1]])).logits.flatten() for d in expected["documents"]]
    worst = (torch.cat(logits) - own).abs().max().item()
    if not worst < 1e-3:
        fail(f"logits differ by {worst}")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    check_ids(lambda text: tokenizer(text)["input_ids"], tokenizer.decode, expected)
    for prompt in expected["answers"]:
        ids = tokenizer(prompt["prompt"], return_tensors="pt")
        out = model.generate(**ids, max_new_tokens=len(prompt["tokens"]), do_sample=False)
        found = out[0, ids["input_ids"].shape[1] :].tolist()[: len(prompt["tokens"])]
        if found != prompt["tokens"]:
            fail(f"the answer to {prompt['prompt']!r} is {found}, not {prompt['tokens']}")


def compare_tokenizers(folder, expected):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    check_ids(lambda text: tokenizer.encode(text).ids, tokenizer.decode, expected)


def check_ids(encode, decode, expected):
    for entry in expected["texts"]:
        ids = encode(entry["text"])
        if ids != entry["ids"]:
            fail(f"{entry['text']!r} is {ids}, not {entry['ids']}")
        if decode(ids) != entry["text"]:
            fail(f"{entry['text']!r} decodes to {decode(ids)!r}")


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    comparison = {"torch": compare_torch, "transformers": compare_transformers, "tokenizers": compare_tokenizers}
    comparison[sys.argv[1]](folder, json.loads((folder / "expected.json").read_text()))
