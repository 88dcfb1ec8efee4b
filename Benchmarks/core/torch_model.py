"""The shapes of core-timer as small PyTorch models: nothing but what the arithmetic needs, so that what is timed is
PyTorch and not a library on top of it. Products that read the same input are one, as in Lemma."""

import torch
from torch import nn
from torch.nn import functional as F


class Attention(nn.Module):
    def __init__(self, shape, bias):
        super().__init__()
        self.heads, self.groups = shape["num_attention_heads"], shape["num_key_value_heads"]
        self.size = shape["head_dim"]
        width = self.heads * self.size
        self.qkv = nn.Linear(shape["hidden_size"], width + 2 * self.groups * self.size, bias=bias)
        self.output = nn.Linear(width, shape["hidden_size"], bias=bias)

    def forward(self, x, rotary):
        batch, length, _ = x.shape
        counts = [self.heads, self.groups, self.groups]
        q, k, v = (
            part.view(batch, length, count, self.size).transpose(1, 2)
            for part, count in zip(self.qkv(x).split([count * self.size for count in counts], -1), counts))
        if rotary is not None:
            q, k = rotate(q, *rotary), rotate(k, *rotary)
        if self.groups < self.heads:
            k, v = (part.repeat_interleave(self.heads // self.groups, 1) for part in (k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.output(y.transpose(1, 2).reshape(batch, length, -1))


def rotate(x, cosine, sine):
    first, second = x.chunk(2, -1)
    return (x * cosine + torch.cat([-second, first], -1) * sine).to(x.dtype)


class GatedFeedForward(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.up = nn.Linear(shape["hidden_size"], 2 * shape["intermediate_size"], bias=False)
        self.down = nn.Linear(shape["intermediate_size"], shape["hidden_size"], bias=False)

    def forward(self, x):
        gate, up = self.up(x).chunk(2, -1)
        return self.down(F.silu(gate) * up)


class FeedForward(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.up = nn.Linear(shape["hidden_size"], shape["intermediate_size"])
        self.down = nn.Linear(shape["intermediate_size"], shape["hidden_size"])

    def forward(self, x):
        return self.down(F.gelu(self.up(x), approximate="tanh"))


class Block(nn.Module):
    def __init__(self, shape, norm):
        super().__init__()
        is_gpt2 = shape["model_type"] == "gpt2"
        self.norm1, self.attention = norm(), Attention(shape, bias=is_gpt2)
        self.norm2, self.feed_forward = norm(), (FeedForward if is_gpt2 else GatedFeedForward)(shape)

    def forward(self, x, rotary):
        x = x + self.attention(self.norm1(x), rotary)
        return x + self.feed_forward(self.norm2(x))


class Decoder(nn.Module):
    """LLaMA (RMSNorm, rotary positions, SwiGLU) or GPT-2 (LayerNorm, learned positions, GELU), embeddings tied."""

    def __init__(self, shape):
        super().__init__()
        width = shape["hidden_size"]
        is_gpt2 = shape["model_type"] == "gpt2"
        norm = lambda: (nn.LayerNorm if is_gpt2 else nn.RMSNorm)(width, eps=1e-5)
        self.embedding = nn.Embedding(shape["vocab_size"], width)
        self.positions = nn.Embedding(shape["max_position_embeddings"], width) if is_gpt2 else None
        self.blocks = nn.ModuleList(Block(shape, norm) for _ in range(shape["num_hidden_layers"]))
        self.norm = norm()
        for weight in self.parameters():
            if weight.dim() == 2:
                nn.init.normal_(weight, std=shape["initializer_range"])
        if not is_gpt2:
            half = shape["head_dim"] // 2
            frequencies = 10_000.0 ** (-torch.arange(half) / half)
            angles = torch.arange(shape["context"])[:, None] * frequencies
            self.register_buffer("cosine", angles.cos().repeat(1, 2))
            self.register_buffer("sine", angles.sin().repeat(1, 2))

    def forward(self, tokens, targets):
        """The mean loss over all positions."""
        x = self.embedding(tokens)
        if self.positions is not None:
            x = x + self.positions.weight[: tokens.shape[1]]
        rotary = None if self.positions is not None else (self.cosine, self.sine)
        for block in self.blocks:
            x = block(x, rotary)
        logits = F.linear(self.norm(x), self.embedding.weight)
        return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten())
