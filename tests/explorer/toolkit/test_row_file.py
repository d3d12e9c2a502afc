"""Rows for other programs: what is read back is what was written, and nothing is left half-written."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from explorer.toolkit.row_file import check_row_file, flattened, write_rows
from graphdb.errors import InputError, StorageFullError

ROWS = [
    {"trial": 0, "latency_s": 0.1 + 0.2, "state": 'done, "well"', "mixed": 1, "number": 1},
    {"trial": 1, "latency_s": None, "state": "failed", "mixed": "many", "number": 0.5, "later": True},
]


def test_csv_keeps_every_digit_and_leaves_unknown_cells_empty(tmp_path: Path) -> None:
    write_rows(tmp_path / "new" / "rows.csv", ROWS)
    with (tmp_path / "new" / "rows.csv").open(newline="", encoding="utf-8") as stream:
        first, second = csv.DictReader(stream)
    assert list(first) == ["trial", "latency_s", "state", "mixed", "number", "later"]
    assert float(first["latency_s"]) == 0.1 + 0.2
    assert (first["state"], first["later"], second["latency_s"]) == ('done, "well"', "", "")


def test_parquet_has_a_type_for_each_column(tmp_path: Path) -> None:
    from pyarrow import parquet

    write_rows(tmp_path / "rows.parquet", ROWS)
    table = parquet.read_table(tmp_path / "rows.parquet")
    assert {field.name: str(field.type) for field in table.schema} == {
        "trial": "int64",
        "latency_s": "double",
        "state": "string",
        "mixed": "string",  # words and numbers
        "number": "double",
        "later": "bool",
    }
    assert table.to_pylist()[1] == {**ROWS[1], "mixed": "many"}


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "rows.csv"
    write_rows(file, ROWS)
    before = file.read_bytes()

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StorageFullError, match=r"rows\.csv cannot be written; what it held before stays\."):
        write_rows(file, ROWS[:1])
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("name", ["rows", "rows.json", "rows.csv.gz"])
def test_another_suffix_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"--out is .*; allowed: a file that ends in \.csv or \.parquet\."):
        check_row_file(tmp_path / name)


def test_a_place_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="not a folder"):
        check_row_file(tmp_path / "file" / "rows.csv")
    with pytest.raises(InputError, match="is a folder; name a file"):
        check_row_file(tmp_path / "folder.csv")
    check_row_file(tmp_path / "new" / "rows.CSV")


def test_parquet_without_its_package_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"needs the package pyarrow.*\[train\].*\.csv"):
        check_row_file(tmp_path / "rows.parquet")
    check_row_file(tmp_path / "rows.csv")


def test_decisions_are_flattened() -> None:
    choices = {"l": 2, "o": [["a", "b"], ["c"]], "f": {"w": 0.5}, "none": []}
    assert flattened("model", choices) == {
        "model.l": 2,
        "model.o.0.0": "a",
        "model.o.0.1": "b",
        "model.o.1.0": "c",
        "model.f.w": 0.5,
    }
