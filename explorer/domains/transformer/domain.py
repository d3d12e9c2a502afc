"""The domain of Transformers."""

from __future__ import annotations

from explorer.contracts.domain import Domain
from explorer.contracts.verb import Verb
from explorer.domains.transformer.decoder.presets import DECODERS
from explorer.domains.transformer.presets import PRESETS
from explorer.domains.transformer.verbs.options import CrossOptions, FinetuneOptions, OnnxOptions, PretrainOptions

_HOME = "explorer.domains.transformer"

DOMAIN = Domain(
    name="transformer",
    spaces={
        "flexibert2": f"{_HOME}.spaces.flexibert2:FlexiBert2Space",
        "flexibert": f"{_HOME}.spaces.flexibert1:FlexiBert1Space",
        "flexibert_small": f"{_HOME}.spaces.flexibert1:SmallFlexiBert1Space",
        "flexibert_large": f"{_HOME}.spaces.flexibert1:LargeFlexiBert1Space",
        "flexibert_early": f"{_HOME}.spaces.early:EarlyFlexiBertSpace",
        "transformer_free": f"{_HOME}.spaces.free:FreeTransformerSpace",
    },
    bare=("flexibert2", "flexibert", "transformer_free"),
    presets=(*PRESETS, *DECODERS),
    preset=f"{_HOME}.presets:preset",
    published={"flexibert": f"{_HOME}.measured:published"},
    metric=f"{_HOME}.edit_costs:METRIC",
    reference_hashes=f"{_HOME}.graph:reference_hashes",
    learning_tasks=f"{_HOME}.learning:TASKS",
    skills=f"{_HOME}.skills:SKILLS",
    readers=f"{_HOME}.hugging_face:READERS",
    space_readers=f"{_HOME}.spaces.published:READERS",
    facts=f"{_HOME}.facts:facts",
    kinds=(
        *("add_norm", "feed_forward", "sa_sdp", "sa_wma", "l_dft", "l_dct", "c_5", "c_9", "c_13", "input"),
        *("add", "gated_feed_forward", "causal_sdp", "key_value", "layer_norm", "rms_norm", "embedding"),
        *("language_head", "output"),
    ),
    measures=f"{_HOME}.measures:MEASURES",
    headline=("accuracy",),
    verbs=(
        Verb(
            "flexibert",
            "Pre-train a FlexiBERT model and store its loss on held-out text. Run the same command again to continue.",
            PretrainOptions,
            f"{_HOME}.verbs.training:pretrain",
            group="pretrain",
            example="explorer pretrain flexibert bert-tiny --corpus a.txt --out tiny",
        ),
        Verb(
            "flexibert",
            "Fine-tune a trained model on GLUE or on your own data and store its scores. Run the same command again to "
            "continue.",
            FinetuneOptions,
            f"{_HOME}.verbs.training:finetune",
            group="finetune",
            example="explorer finetune flexibert tiny --task sst2",
        ),
        Verb(
            "onnx",
            "Export a trained model to ONNX, for any batch size and any sequence length that the model supports.",
            OnnxOptions,
            f"{_HOME}.verbs.onnx:onnx",
            example="explorer onnx tiny/sst2 tiny.onnx",
        ),
        Verb(
            "cross",
            "Draw models between two Transformers, as FlexiBERT's hierarchical search does, and store them with their "
            "lineage.",
            CrossOptions,
            f"{_HOME}.verbs.crossing:cross",
            example="explorer cross bert-tiny bert-mini --level 2 -n 20",
        ),
    ),
)
