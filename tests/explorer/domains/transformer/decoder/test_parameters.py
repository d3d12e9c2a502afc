"""Sizes equal those of Hugging Face's modules."""

from __future__ import annotations

import pytest

from explorer import registry
from explorer.domains.transformer.hugging_face import from_configuration
from explorer.domains.transformer.parameters import parameter_count
from tests.explorer.domains.transformer.decoder.toys import NAMES, module_of, toys


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_a_decoder_has_as_many_weights_as_the_librarys_module(name: str, tied: bool) -> None:
    configuration = toys(tied)[name]
    theirs = sum(parameter.numel() for parameter in module_of(configuration).parameters())
    assert parameter_count(from_configuration(configuration.to_dict())) == theirs


def test_published_sizes() -> None:
    assert parameter_count(registry.preset("gpt2").choices) == 124_439_808
    assert parameter_count(registry.preset("llama-tiny").choices) == 15_191_712
