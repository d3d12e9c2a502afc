"""Writes docs/measures.md from what simulators, published data and recipes declare: python scripts/measures.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from explorer import registry
from explorer.contracts.measure import Measure

PAGE = Path(__file__).resolve().parents[1] / "docs" / "measures.md"
HEAD = """# Measures

Made by `scripts/measures.py` from what is registered; a test compares. The names are those of `--max`, `--min`, filters
and JSON; parts stand there under the name of their group. Shares and accuracies are stored as numbers from 0 to 1.
"""


def page() -> str:
    """The whole page."""
    return HEAD + "".join(sections())


def sections() -> Iterator[str]:
    """A table for each simulator, of the measures that no simulator before it has, and one for published ones."""
    shown: dict[str, Measure] = {}
    for name in registry.simulators():
        measures = registry.simulator(name).measures
        new = {key: measure for key, measure in measures.items() if shown.get(key) != measure}
        more = " Besides measures of the simulators above:" if len(new) < len(measures) else ""
        shown.update(measures)
        yield f"\n## {name}\n\n{registry.simulator_entry(name).help}{more}\n\n{table(new)}"
    rest = {name: measure for name, measure in registry.measures().items() if name not in shown}
    yield f"\n## Published data and trainings\n\n{table(rest)}"


def table(measures: Mapping[str, Measure]) -> str:
    """Rows in the order in which the measures are declared."""
    rows = ["| name | label | unit | better | group | is |", "| --- | --- | --- | --- | --- | --- |"]
    for name, measure in measures.items():
        better = "" if measure.direction is None else "more" if measure.direction == "maximise" else "less"
        cells = (f"`{name}`", measure.label, measure.unit, better, measure.group, measure.description)
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
