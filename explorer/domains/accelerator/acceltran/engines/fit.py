"""A check of whether a model fits an accelerator, without simulating the pair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.domains.accelerator.acceltran.chip.constants import DATA_BITS, MEBIBYTE_BITS
from explorer.domains.accelerator.acceltran.settings.switches import parse_switches


def stored_bits(sparsity: float) -> float:
    """Average number of bits of a stored element, without its mask."""
    return DATA_BITS * (1 - sparsity)


def needed_weight_buffer_mib(embedding_elements: int, weight_sparsity: float) -> float:
    """MiB that the embeddings take in the weight buffer, where the published simulator keeps them for the whole run."""
    return embedding_elements * stored_bits(weight_sparsity) / MEBIBYTE_BITS


def needed_mib(first_hidden: float, settings: Mapping[str, Any]) -> float:
    """MiB of the weight buffer that a model needs, as far as this is known before its simulation.

    The published fast simulator refuses only embeddings that are too large. With the corrections `embedding-rows` and
    `refetch` nothing is too large; without `refetch` single tensors may be, which only the simulation reports.

    Args:
        first_hidden: width of the model's first layer.
        settings: all settings of the run.
    """
    if settings["mode"] == "corrected" and parse_switches(settings["correct"]) & {"embedding-rows", "refetch"}:
        return 0.0
    elements = (settings["vocabulary"] + settings["sequence_length"]) * int(first_hidden)
    return needed_weight_buffer_mib(elements, settings["weight_sparsity"])


def fits(model: Mapping[str, Any], accelerator: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Whether a pair can be simulated, as far as `needed_mib` knows.

    Args:
        model: a legal model dictionary.
        accelerator: legal choices.
        settings: all settings of the run.
    """
    return bool(needed_mib(model["h"][0], settings) <= accelerator["weight_buffer_mb"])
