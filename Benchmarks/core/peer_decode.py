"""Decodes with llama.cpp or transformers for decode.py. Prints what `core-timer decode` prints, in one JSON line.

usage: peer_decode.py llama.cpp GGUF THREADS WAVES SEQUENCES,PROMPT,NEW ...
       peer_decode.py transformers-PRECISION SHAPE_AS_JSON THREADS WAVES SEQUENCES,PROMPT,NEW ...

Answers are greedy and as long as asked, whatever the model says. One wave goes ahead and is not counted.
"""

import ctypes
import json
import sys
import time

from common import peak_memory


class Clock:
    """Seconds since the last look."""

    def __init__(self):
        self.last = time.perf_counter()

    def lap(self):
        now = time.perf_counter()
        seconds, self.last = now - self.last, now
        return seconds


class LlamaCpp:
    """A model of llama.cpp through its C interface, which can batch sequences."""

    def __init__(self, path, threads):
        import llama_cpp
        import numpy

        self.library, self.numpy, self.threads = llama_cpp, numpy, threads
        self.silence = llama_cpp.llama_log_callback(lambda level, text, data: None)
        llama_cpp.llama_log_set(self.silence, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        self.model = llama_cpp.llama_model_load_from_file(path.encode(), llama_cpp.llama_model_default_params())
        if not self.model:
            sys.exit(f"llama.cpp cannot load {path}")
        self.vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))
        self.parameters = llama_cpp.llama_model_n_params(self.model)
        self.version = llama_cpp.__version__

    def run(self, rows):
        """Rows of (token, position, sequence, whether the next is asked for); returns the tokens asked for."""
        batch = self.batch
        batch.n_tokens = len(rows)
        for index, (token, position, sequence, is_asked) in enumerate(rows):
            batch.token[index], batch.pos[index], batch.logits[index] = token, position, is_asked
            batch.n_seq_id[index], batch.seq_id[index][0] = 1, sequence
        if self.library.llama_decode(self.context, batch) != 0:
            sys.exit("llama_decode failed")
        asked = [index for index, row in enumerate(rows) if row[3]]
        logits = (self.library.llama_get_logits_ith(self.context, index) for index in asked)
        return [int(self.numpy.ctypeslib.as_array(row, (self.vocabulary,)).argmax()) for row in logits]

    def waves(self, sequences, prompt, new, waves):
        library = self.library
        settings = library.llama_context_default_params()
        # Whole groups of 256 positions for each sequence, which is how llama.cpp counts.
        settings.n_ctx = sequences * ((prompt + new + 255) // 256 * 256)
        settings.n_batch = settings.n_ubatch = max(512, sequences * prompt)
        settings.n_seq_max = sequences
        settings.n_threads = settings.n_threads_batch = self.threads
        self.context = library.llama_init_from_model(self.model, settings)
        self.batch = library.llama_batch_init(settings.n_batch, 0, 1)
        chance = self.numpy.random.default_rng(1)
        for _ in range(waves + 1):
            library.llama_memory_clear(library.llama_get_memory(self.context), True)
            prompts = chance.integers(300, self.vocabulary, (sequences, prompt)).tolist()
            clock = Clock()
            last = self.run([(token, position, sequence, position == prompt - 1)
                             for sequence in range(sequences) for position, token in enumerate(prompts[sequence])])
            steps = [clock.lap()]
            for step in range(new - 1):
                last = self.run([(token, prompt + step, sequence, True) for sequence, token in enumerate(last)])
                steps.append(clock.lap())
            yield steps
        library.llama_batch_free(self.batch)
        library.llama_free(self.context)


class Transformers:
    """A LLaMA model of transformers with random weights."""

    def __init__(self, shape, precision, threads):
        import torch
        import transformers

        torch.set_num_threads(threads)
        self.torch = torch
        names = ["vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
                 "num_key_value_heads", "head_dim", "max_position_embeddings"]
        config = transformers.LlamaConfig(**{name: shape[name] for name in names}, tie_word_embeddings=True)
        self.model = transformers.LlamaForCausalLM(config).to(getattr(torch, precision)).eval()
        self.parameters = sum(weight.numel() for weight in self.model.parameters())
        self.version = f"{transformers.__version__}, torch {torch.__version__}"

    def waves(self, sequences, prompt, new, waves):
        """Only the time of a whole wave is known."""
        for wave in range(waves + 1):
            self.torch.manual_seed(wave)
            ids = self.torch.randint(97, 123, (sequences, prompt))
            clock = Clock()
            with self.torch.inference_mode():
                found = self.model.generate(
                    ids, attention_mask=self.torch.ones_like(ids), do_sample=False, max_new_tokens=new,
                    min_new_tokens=new, pad_token_id=0, eos_token_id=None)
            seconds = clock.lap()
            if tuple(found.shape) != (sequences, prompt + new):
                sys.exit(f"transformers gave {tuple(found.shape)}")
            yield [seconds]


def main():
    kind, what, threads, waves = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    if kind == "llama.cpp":
        side = LlamaCpp(what, threads)
    else:
        side = Transformers(json.loads(what), kind.split("-")[1], threads)
    cases = []
    for word in sys.argv[5:]:
        sequences, prompt, new = map(int, word.split(","))
        steps = list(side.waves(sequences, prompt, new, waves))[1:]
        cases.append({
            "sequences": sequences, "prompt": prompt, "new": new, "prefill_seconds": [wave[0] for wave in steps],
            "decode_seconds": [seconds for wave in steps for seconds in wave[1:]],
            "wave_seconds": [sum(wave) for wave in steps]})
    print(json.dumps({"parameters": side.parameters, "cases": cases, "peak_mib": peak_memory(),
                      "version": side.version}))


if __name__ == "__main__":
    main()
