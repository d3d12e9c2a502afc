"""`explorer list`: the stored architectures, filtered and ordered."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from explorer.cli.output import AsJson, emit, print_table, say
from explorer.cli.store import opened
from explorer.contracts.measure import Direction
from explorer.contracts.table import Cell, Predicted, Table, keys, number, prose, values, words
from graphdb.errors import InputError
from graphdb.records import ArchitectureFilter, Order, Range

if TYPE_CHECKING:
    from graphdb.records import ListedArchitecture, Page, Span

_MOST = 1000
_CONDITION = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*(>=|<=|>|<|=)\s*(\S+)\s*")


def list_architectures(
    domain: Annotated[str | None, typer.Option(help="List only architectures of this domain.")] = None,
    space: Annotated[str | None, typer.Option(help="List only architectures of this space.")] = None,
    measured: Annotated[
        bool | None,
        typer.Option(
            "--measured/--unmeasured", help="List only what was measured, or what was not.", show_default=False
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="CONDITION", help="Condition on a measure, such as 'accuracy>=0.7'; repeatable."),
    ] = None,
    order_by: Annotated[
        str | None,
        typer.Option(
            metavar="MEASURE",
            help="Measure to order by, the best value of each architecture first; by default, keys are in order.",
        ),
    ] = None,
    ascending: Annotated[
        bool | None,
        typer.Option(
            "--ascending/--descending",
            help="Smallest or largest values first; by default the better ones.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="Number of architectures.")] = 20,
    after: Annotated[
        str | None, typer.Option(metavar="CURSOR", help="Where to go on: the cursor that the previous page ended with.")
    ] = None,
    json: AsJson = False,
) -> None:
    """List stored architectures with the values of the measures that are asked for.

    Several measurements of an architecture give a span of values, from the smallest to the largest.

    Example: explorer list --where "qnli_accuracy>=0.8" --order-by qnli_accuracy --limit 10
    """
    from explorer import registry

    if domain is not None:
        registry.domain(domain)
    ranges = conditions(where or ())
    order = None if order_by is None else order_of(order_by, ascending)
    if order is None and ascending is not None:
        raise InputError("--ascending and --descending order by a measure; give --order-by too.")
    chosen = ArchitectureFilter(domain=domain, space=space, measure_ranges=ranges, measured=measured)
    names = tuple(dict.fromkeys([*([order.measure] if order else []), *(one.name for one in ranges)]))
    with opened() as store:
        page = store.architectures.listed(chosen, first=limit, after=after, order=order)
        if not names:
            names = _headline(page.items)
        spans = store.measurements.spans([item.key for item in page.items], names)
    if json:
        emit(_document(page, spans))
        return
    _show(page, spans, names)


def conditions(texts: Sequence[str]) -> tuple[Range, ...]:
    """The ranges of measures that conditions such as `accuracy>=0.7` describe.

    Raises:
        InputError: a text is no condition, names no measure, or contradicts itself.
    """
    return tuple(_range(text) for text in texts)


def order_of(measure: str, ascending: bool | None) -> Order:
    """The order by a measure; the better values come first unless something else is asked for.

    Args:
        measure: the name of the measure.
        ascending: whether the smallest values come first; None for the better ones.

    Raises:
        InputError: there is no such measure.
    """
    known = known_measures(measure, "--order-by")
    if ascending is None:
        ascending = known[measure].direction is not Direction.MAXIMISE
    return Order(measure, descending=not ascending)


def _range(text: str) -> Range:
    matched = _CONDITION.fullmatch(text)
    try:
        value = float(matched[3]) if matched else math.nan
    except ValueError:
        value = math.nan
    if matched is None or not math.isfinite(value):
        raise InputError(
            f"--where {text[:100]!r} is no condition; allowed: MEASURE>=NUMBER, also with <=, >, < or =, "
            "in quotation marks."
        )
    name, sign = matched[1], matched[2]
    known_measures(name, "--where")
    low = {">=": value, ">": math.nextafter(value, math.inf), "=": value}.get(sign)
    high = {"<=": value, "<": math.nextafter(value, -math.inf), "=": value}.get(sign)
    return Range(name, low, high)


def known_measures(name: str, flag: str) -> Mapping[str, Any]:
    """The measures of all domains and simulators, if one of them has the name."""
    from difflib import get_close_matches

    from explorer import registry

    known = dict(registry.measures())
    if name not in known:
        for simulator in registry.simulators():
            known.update(registry.measures(simulator))
    if name not in known:
        near = get_close_matches(name, known, n=4, cutoff=0.5) or registry.headline()
        raise InputError(f"{flag}: there is no measure {name[:100]!r}; allowed are, among others, {', '.join(near)}.")
    return known


def _headline(items: Sequence[ListedArchitecture]) -> tuple[str, ...]:
    """The most important measures of the domains in a page, and those that a surrogate learns."""
    from explorer import registry

    present = {item.domain for item in items}
    names = [name for domain in registry.domains() if domain in present for name in registry.domain(domain).headline]
    for task in registry.learning_tasks():
        if present & set(task.embeds) and len(task.roles) == 1:
            names += [measure.name for measure in task.measures]
    return tuple(dict.fromkeys(names))


def _document(page: Page[ListedArchitecture], spans: Mapping[str, Mapping[str, Span]]) -> dict[str, Any]:
    import json as json_format

    return {
        "total": page.total,
        "architectures": [
            {
                "key": item.key,
                "domain": item.domain,
                "space": item.space,
                "choices": json_format.loads(item.choices),
                "measures": {
                    name: {
                        "smallest": span.smallest,
                        "largest": span.largest,
                        "measurements": span.count,
                        "predicted": span.predicted,
                    }
                    for name, span in spans[item.key].items()
                },
            }
            for item in page.items
        ],
        "after": page.end_cursor if page.has_next else None,
    }


def _show(page: Page[ListedArchitecture], spans: Mapping[str, Mapping[str, Span]], names: Sequence[str]) -> None:
    from explorer import registry

    if not page.items:
        say("No stored architecture meets these conditions." if not page.total else "There are no more architectures.")
        return
    shown = [name for name in names if any(name in spans[item.key] for item in page.items)]
    rows = [
        [
            item.key,
            item.space,
            *(_value(spans[item.key].get(name)) for name in shown),
            item.choices,
        ]
        for item in page.items
    ]
    measures = [registry.measure(name) for name in shown]
    columns = [keys("key"), words("space"), *map(values, measures), prose("choices", rank=1)]
    print_table(Table(f"{len(page.items):,} of {page.total:,} architectures", columns, rows))
    if page.has_next:
        say(f"The next page: --after {page.end_cursor}")


def _value(span: Span | None) -> Cell:
    if span is None:
        return None
    if span.smallest == span.largest:
        return Predicted(span.largest) if span.predicted else span.largest
    low, high = (number(value, span.predicted) for value in (span.smallest, span.largest))
    return low if low == high else f"{low} to {high}"
