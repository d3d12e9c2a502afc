"""The YAML files that FlexiBERT publishes its spaces in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from explorer import registry
from explorer.cli.space import named_space
from graphdb.errors import InputError

SECOND: dict[str, Any] = {
    "hidden_size": [128, 256, 512, 768],
    "num_heads": [2, 4, 8, 12],
    "encoder_layers": [2, 4, 6, 8, 10, 12],
    "operation_types": ["sa", "l", "c"],
    "number_of_feed-forward_stacks": [1, 2, 3],
    "feed-forward_hidden": [256, 512, 1024, 2048, 3072, 4096],
    "operation_parameters": {"sa": ["sdp", "wma"], "l": ["dft", "dct"], "c": [5, 9, 13]},
}
FIRST: dict[str, Any] = {
    "datasets": ["CoLA", "SST-2"],
    "architecture": {
        "hidden_size": [128, 256],
        "num_heads": [2, 4],
        "encoder_layers": [2, 4],
        "operation_types": ["sa", "l", "c"],
        "number_of_feed-forward_stacks": [1, 3],
        "feed-forward_hidden": [512, 1024],
        "operation_parameters": {"sa": ["sdp", "wma"], "l": ["dft", "dct"], "c": [5, 9]},
    },
}


def written(folder: Path, value: object) -> str:
    file = folder / "given.yaml"
    file.write_text(yaml.safe_dump(value))
    return str(file)


def test_published_files_are_the_published_spaces(tmp_path: Path) -> None:
    for value, name in ((FIRST, "flexibert"), (SECOND, "flexibert2")):
        space = named_space(written(tmp_path, value))
        assert (space.name, space.size) == (name, registry.space(name).size)


def test_a_file_with_other_options_is_a_space_of_its_own(tmp_path: Path) -> None:
    space = named_space(written(tmp_path, SECOND | {"encoder_layers": [3]}))
    assert (space.name, space.size) == ("transformer_free", 22_502_760**3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_heads": [0]}, "heads is"),
        ({"operation_types": "sa"}, "operation_types is 'sa'; allowed: a list"),
        ({"operation_parameters": {"sa": ["sdp"]}}, "a list of parameters for each of operation_types"),
        ({"operation_parameters": {"sa": ["x"], "l": [], "c": []}}, "head_types has 'sa_x'"),
        ({"colour": 1}, "The key 'colour' is unknown"),
    ],
)
def test_a_file_with_faults_is_refused_in_one_sentence(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    name = written(tmp_path, SECOND | changes)
    with pytest.raises(InputError) as refused:
        named_space(name)
    assert words in str(refused.value)
    assert str(refused.value).startswith(name)
