"""Well-known decoders by name.

- `llama-tiny` has the sizes of `stories15M`, the smallest Llama that is trained in llama2.c
  (https://github.com/karpathy/llama2.c: 6 layers of width 288, 6 heads, 32,000 tokens; the feed-forward width, two
  thirds of 4 x 288, rounded up to a multiple of 32, is 768). Its embeddings are tied: 15,191,712 weights.
- `gpt2` has the sizes of the smallest GPT-2, published with Radford et al., "Language Models are Unsupervised Multitask
  Learners" (2019): 124,439,808 weights.
"""

from __future__ import annotations

from typing import Any

LLAMA_TINY: dict[str, Any] = {
    "l": 6,
    "o": [["sa_sdp_48"] * 6] * 6,
    "h": [288] * 6,
    "f": [[768]] * 6,
    "decoder": {"vocabulary": 32_000, "tied_embeddings": True},
}
GPT2: dict[str, Any] = {
    "l": 12,
    "o": [["sa_sdp_64"] * 12] * 12,
    "h": [768] * 12,
    "f": [[3072]] * 12,
    "decoder": {
        "vocabulary": 50_257,
        "tied_embeddings": True,
        "learnt_positions": 1024,
        "norm": "layer",
        "norm_bias": True,
        "query_key_value_bias": True,
        "output_bias": True,
        "gated": False,
        "activation": "gelu_tanh",
        "feed_forward_bias": True,
    },
}
DECODERS = {"llama-tiny": LLAMA_TINY, "gpt2": GPT2}
"""Name -> choices."""
