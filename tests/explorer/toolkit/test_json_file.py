"""JSON and YAML as people have them: byte order marks, keys given twice, numbers that are none."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from explorer.toolkit.assignments import parsed_value
from explorer.toolkit.json_file import parsed_json, read_json
from explorer.toolkit.yaml_file import read_yaml
from graphdb.errors import InputError

MARK = b"\xef\xbb\xbf"


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "marked"
    file.write_bytes(MARK + '{"länge": 2}'.encode())
    assert read_json(file, "the file") == read_yaml(file, "file") == {"länge": 2}
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(file.read_bytes()), encoding="ascii"))
    assert read_json(Path("-"), "standard input") == {"länge": 2}
    assert parsed_json(file.read_text(encoding="utf-8"), "the text") == {"länge": 2}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"l": 2, "l": 3}', "line 1, column 10: the key 'l' stands there twice in one object"),
        ('{"a": [{"l": 1},\n {"l": 2, "h": "l",\n  "l": 2}]}', "line 3, column 3: the key 'l'"),
        ('{"a, {": {"b": {}}, "c": [1, "c"],\n"\\u0061, {": 1}', "line 2, column 1: the key 'a, {'"),
        ('{"l": NaN}', "holds NaN; allowed: finite numbers"),
        ('{"l": [-Infinity]}', "holds -Infinity"),
        ('{"l": 1e999}', "holds 1e999"),
    ],
)
def test_a_key_given_twice_and_numbers_that_are_none_are_refused(text: str, place: str) -> None:
    with pytest.raises(InputError, match=r"^given") as refused:
        parsed_json(text, "given")
    assert place in str(refused.value)


def test_equal_keys_of_several_objects_are_no_repetition() -> None:
    assert parsed_json('[{"l": 1}, {"l": {"l": 2}}]', "given") == [{"l": 1}, {"l": {"l": 2}}]


def test_a_value_of_the_command_line_has_no_key_twice() -> None:
    assert parsed_value('{"l": 2}') == {"l": 2}
    assert parsed_value("NaN") == "NaN"
    assert parsed_value('{"l": 2,') == '{"l": 2,'
    with pytest.raises(InputError, match="the key 'l' stands there twice"):
        parsed_value('{"l": 2, "l": 3}')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a:\n  - 0512", "line 2: YAML takes '0512' for 330; write a plain decimal number"),
        ("a: 010", "'010' for 8"),
        ("a: 1_000", "'1_000' for 1000"),
        ("a: 1:30", "'1:30' for 90"),
        ("a: [on]", "'on' for True; write true, or the word in quotes"),
        ("a: no", "'no' for False; write false"),
        ("off: 1", "'off' for False"),
    ],
)
def test_what_yaml_takes_for_another_value_is_refused(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "given.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as refused:
        read_yaml(file, "file")
    assert words in str(refused.value)


def test_plain_values_of_yaml_are_read(tmp_path: Path) -> None:
    file = tmp_path / "given.yaml"
    file.write_text('{a: [0, -12, 1.5, 2.0e+3, 0x10, true, False, "0512", "yes", ~, 3 mW]}')
    assert read_yaml(file, "file") == {"a": [0, -12, 1.5, 2000.0, 16, True, False, "0512", "yes", None, "3 mW"]}
