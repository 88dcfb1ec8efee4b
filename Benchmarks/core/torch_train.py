"""Trains a shape of core-timer with PyTorch for some steps; train.py runs it. Prints one JSON line.

usage: torch_train.py SHAPE_AS_JSON eager|compile float32|bfloat16 THREADS STEPS
"""

import contextlib
import json
import sys
import time

import torch
from common import peak_memory
from torch_model import Decoder


def main():
    shape, mode, precision = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
    threads, steps = int(sys.argv[4]), int(sys.argv[5])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    model = Decoder(shape)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=1e-4, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1, fused=True)
    call = torch.compile(model) if mode == "compile" else model
    cast = torch.autocast("cpu", torch.bfloat16) if precision == "bfloat16" else contextlib.nullcontext()
    # Letters, as on the other side.
    data = torch.randint(97, 123, (4, shape["batch"], shape["context"] + 1))
    seconds, tokens = [], []
    for step in range(steps):
        began = time.perf_counter()
        batch = data[step % len(data)]
        with cast:
            loss = call(batch[:, :-1], batch[:, 1:])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        value = loss.item()
        seconds.append(time.perf_counter() - began)
        tokens.append(batch[:, 1:].numel())
    print(json.dumps({
        "parameters": sum(weight.numel() for weight in model.parameters()), "tokens": tokens, "seconds": seconds,
        "loss": value, "peak_mib": peak_memory(), "version": torch.__version__}))


if __name__ == "__main__":
    main()
