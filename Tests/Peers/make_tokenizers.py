"""Trains tokenizers of well-known kinds with the `tokenizers` library and writes what it makes of texts.

usage: make_tokenizers.py FOLDER RANDOM_TEXTS DATA_TEXTS [DATA_FILE...]

For each kind FOLDER/KIND.json is the tokenizer and FOLDER/KIND.bin what the library finds: for each text of
FOLDER/texts.bin the ids without and with the tokens around a text, the ids where the spellings of special tokens are
ordinary text, and the decoded text with special tokens left out and kept. Numbers are little-endian 32-bit; a list
of ids and a text begin with their length. RANDOM_TEXTS texts are random Unicode from a fixed seed, DATA_TEXTS come
from each JSONL or JSON data file.
"""

import json
import random
import struct
import sys
import unicodedata
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers.trainers import BpeTrainer

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
CORPUS = [
    "Tom has 12 apples and buys 30 more apples. It's Ann's turn; they'll see 1,234.50 dollars.\n\n#### 42",
    "naïve café naïve café déjà vu über Straße ÅÄÖ é é",
    "def f(x):\n    return x ** 2 + 3\n\n\n\tif x >= 10:  # comment\n\t\tpass",
    "日本語のテキスト 日本語 中文文本 한국어 Привет мир привет мир שלום עולם مرحبا بالعالم",
    "𝒳 ∈ ℝ, \\frac{1}{2} \\sqrt{x^2+1} ≤ ∑ 🎉🎉 👩‍👩‍👧",
]


def unused_in_old_unicode(character):
    return unicodedata.category(character) == "Cn"


def random_texts(count):
    source = random.Random(20240)
    spaces = " \t\n\r\x0b\x0c\x1c\x85\xa0\u1680\u2003\u2028\u202f\u3000\ufeff\u200b\u180e"
    marks = [chr(c) for c in range(0x300, 0x370)] + list("\u200d\ufe0f\u0345\u05b0\u064b\u093c\u3099\u20dd")
    words = ["apples", "'s", "'ll", "'RE", "'\u017f", "I'M", " the", "  ", "\r\n", "2024", "١٢٣", "Ⅷ", "½", "▁", "▁▁", "▁a",
             "é", "e\u0301", "\u1e9b\u0323", "한", "\u1112\u1161\u11ab", "Å", "\u212b", "İ", "ΣΑΣ", "ſ", "K",
             "<s>", "</s>", "<unk>", "<0x0A>", "<tool_call>", "<|im_end", "<<s>>", "[MASK]", " [MASK] ", "x[WORD]y", " [WORD] ",
             "LOWER", "lower", "👩‍👩‍👧", "🏳️‍🌈", "🇩🇪", "\U000e0067", "#### 42", "\\frac{1}{2}", "\n\n\n"] + SPECIAL
    ranges = [(0x20, 0x7F), (0x20, 0x7F), (0, 0x100), (0x100, 0x800), (0x800, 0x3000), (0x3000, 0xD7FF), (0xD780, 0xE010),
              (0xF900, 0x10000), (0x1F000, 0x1FB00), (0x10000, 0x20000), (0x20000, 0x110000), (0xFFFFE, 0x110000)]

    def character():
        while True:
            code = source.randrange(*source.choice(ranges))
            # What Unicode gave a class to after version 14 has another class in older tables.
            if not 0xD800 <= code < 0xE000 and not unused_in_old_unicode(chr(code)):
                return chr(code)

    def piece():
        kind = source.random()
        if kind < 0.45:
            return source.choice(words)
        if kind < 0.6:
            return source.choice(spaces) * source.randrange(1, 4)
        if kind < 0.7:
            return character() + "".join(source.choice(marks) for _ in range(source.randrange(1, 4)))
        if kind < 0.8:
            return "".join(source.choice("abcdefghijklmnopqrstuvwxyzABC0123456789.,'!?") for _ in range(source.randrange(1, 8)))
        return "".join(character() for _ in range(source.randrange(1, 6)))

    texts = ["", " ", "  ", "a", " a", "\n", "▁", "<s>", "<|im_end|>", "'", "\u0301", "\x00"]
    return texts + ["".join(piece() for _ in range(source.randrange(1, 25))) for _ in range(count)]


def data_texts(path, count):
    text = Path(path).read_text()
    rows = json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]
    return ["\n".join(str(value) for value in row.values()) for row in rows[:count]]


def specials(names):
    return [AddedToken(name, special=True, normalized=False) for name in names]


def train(tokenizer, texts, special, size=800, alphabet=(), **settings):
    trainer = BpeTrainer(
        vocab_size=size, special_tokens=special, initial_alphabet=list(alphabet), show_progress=False, min_frequency=2,
        limit_alphabet=300, **settings)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def byte_level(texts, split, special=SPECIAL, normalizer=None, size=800):
    tokenizer = Tokenizer(models.BPE())
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = split
    tokenizer.decoder = decoders.ByteLevel()
    return train(tokenizer, texts, special, size, pre_tokenizers.ByteLevel.alphabet())


def sentence_piece(texts, **model):
    """A model whose vocabulary has the layout of SentencePiece: special tokens, bytes, then what was learnt."""
    learner = Tokenizer(models.BPE(unk_token="<unk>"))
    learner.pre_tokenizer = pre_tokenizers.Metaspace()
    state = json.loads(train(learner, texts, ["<unk>"], 700).to_str())["model"]
    names = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    names += [name for name in sorted(state["vocab"], key=state["vocab"].get) if name not in names]
    merges = [tuple(pair) if isinstance(pair, list) else tuple(pair.split(" ")) for pair in state["merges"]]
    tokenizer = Tokenizer(models.BPE(
        vocab={name: index for index, name in enumerate(names)}, merges=merges, unk_token="<unk>", **model))
    tokenizer.add_special_tokens(specials(["<unk>", "<s>", "</s>"]))
    return tokenizer


def begins_with(tokenizer, token):
    return processors.TemplateProcessing(
        single=f"{token} $A", pair=f"{token} $A $B", special_tokens=[(token, tokenizer.token_to_id(token))])


def make(texts):
    space = pre_tokenizers.Metaspace
    level = pre_tokenizers.ByteLevel
    made = {}
    made["gpt2"] = byte_level(texts, level(add_prefix_space=False), ["<|endoftext|>"])
    made["gpt2"].post_processor = processors.ByteLevel(trim_offsets=False)
    made["prefix-space"] = byte_level(texts, level(add_prefix_space=True), ["<|endoftext|>"])
    made["smollm2"] = byte_level(
        texts, pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), level(add_prefix_space=False)]))

    def split(pattern):
        return pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(pattern), "isolated"), level(add_prefix_space=False, use_regex=False)])

    llama3 = byte_level(texts, split(LLAMA3), ["<|begin_of_text|>"] + SPECIAL)
    llama3.post_processor = processors.Sequence(
        [processors.ByteLevel(trim_offsets=False), begins_with(llama3, "<|begin_of_text|>")])
    llama3.model.ignore_merges = True
    # A token that no merge makes is found only as a whole piece.
    state = json.loads(llama3.to_str())
    state["model"]["merges"] = [pair for index, pair in enumerate(state["model"]["merges"]) if index % 7]
    made["llama3"] = Tokenizer.from_str(json.dumps(state))
    made["qwen2"] = byte_level(texts, split(QWEN2), normalizer=normalizers.NFC())
    made["qwen2"].add_tokens([AddedToken("<tool_call>", normalized=False), AddedToken("é́x", normalized=True)])

    llama2 = sentence_piece(texts, byte_fallback=True, fuse_unk=True)
    llama2.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    llama2.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    llama2.post_processor = begins_with(llama2, "<s>")
    made["llama2"] = llama2
    for scheme in ["always", "first", "never"]:
        for splits in [True, False]:
            tokenizer = sentence_piece(texts, byte_fallback=splits, fuse_unk=scheme == "first")
            tokenizer.pre_tokenizer = space(prepend_scheme=scheme, split=splits)
            tokenizer.decoder = decoders.Sequence(
                [decoders.ByteFallback(), decoders.Metaspace(prepend_scheme=scheme)])
            made[f"metaspace-{scheme}-{'split' if splits else 'whole'}"] = tokenizer

    for behavior in ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]:
        for invert in [False, True]:
            tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
            pattern = Regex(r"[aeiou ]+?|\d") if behavior != "contiguous" else "ap"
            tokenizer.pre_tokenizer = pre_tokenizers.Split(pattern, behavior, invert)
            train(tokenizer, texts, ["<unk>", "</s>"], 500)
            made[f"split-{behavior}-{'inverted' if invert else 'plain'}"] = tokenizer
    for name, pre_tokenizer in [
        ("digits", pre_tokenizers.Digits(individual_digits=False)), ("words", pre_tokenizers.Whitespace()),
        ("whitespace", pre_tokenizers.WhitespaceSplit()), ("delimiter", pre_tokenizers.CharDelimiterSplit("e")),
    ]:
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
        tokenizer.pre_tokenizer = pre_tokenizer
        made[name] = train(tokenizer, texts, ["<unk>", "</s>"], 500)

    affixed = Tokenizer(models.BPE(unk_token="<unk>", continuing_subword_prefix="##", end_of_word_suffix="</w>"))
    affixed.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    affixed.decoder = decoders.BPEDecoder()
    made["affixes"] = train(
        affixed, texts, ["<unk>", "</s>"], 600, continuing_subword_prefix="##", end_of_word_suffix="</w>")

    added = byte_level(
        texts, level(add_prefix_space=False),
        normalizer=normalizers.Sequence([normalizers.NFD(), normalizers.Lowercase(), normalizers.Strip()]))
    added.add_special_tokens([
        AddedToken("[MASK]", lstrip=True, rstrip=False, special=True, normalized=False),
        AddedToken("<s>", lstrip=False, rstrip=True, special=True, normalized=True)])
    added.add_tokens([
        AddedToken("[WORD]", single_word=True, normalized=False), AddedToken("LOWER", normalized=True),
        AddedToken("  ", normalized=False), AddedToken("apple", single_word=True, normalized=True),
        AddedToken("<tool_call>", lstrip=True, rstrip=True, normalized=False)])
    made["added"] = added
    return made


def ids_bytes(ids):
    return struct.pack(f"<I{len(ids)}i", len(ids), *ids)


def text_bytes(text):
    data = text.encode()
    return struct.pack("<I", len(data)) + data


def main():
    folder = Path(sys.argv[1])
    data = [text for path in sys.argv[4:] for text in data_texts(path, int(sys.argv[3]))]
    texts = random_texts(int(sys.argv[2])) + data
    (folder / "texts.bin").write_bytes(b"".join(map(text_bytes, texts)))
    for name, tokenizer in make(CORPUS * 4 + data[:200]).items():
        (folder / f"{name}.json").write_text(tokenizer.to_str(pretty=name != "gpt2"))
        tokenizer = Tokenizer.from_str(tokenizer.to_str())
        with open(folder / f"{name}.bin", "wb") as file:
            for text in texts:
                ids = tokenizer.encode(text, add_special_tokens=False).ids
                file.write(ids_bytes(ids) + ids_bytes(tokenizer.encode(text).ids))
                tokenizer.encode_special_tokens = True
                file.write(ids_bytes(tokenizer.encode(text, add_special_tokens=False).ids))
                tokenizer.encode_special_tokens = False
                file.write(text_bytes(tokenizer.decode(ids)))
                file.write(text_bytes(tokenizer.decode(ids, skip_special_tokens=False)))


if __name__ == "__main__":
    main()
