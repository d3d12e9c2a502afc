"""Architectures in the database: written in large batches, read as whole graphs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, LiteralString

from graphdb import cypher
from graphdb.architecture import Architecture, Scalar
from graphdb.errors import InputError, NotFoundError
from graphdb.records import ArchitectureFilter, ListedArchitecture, Order, Page, Range, Relative, Twin
from graphdb.store import rows

if TYPE_CHECKING:
    from graphdb.database import Database, Transaction

_ELEMENTS_AT_ONCE = 20_000
_KEY = re.compile(r"[0-9a-f]{64}")
_PREFIX = re.compile(r"[0-9a-f]{6,64}")
_MOST_NAMED, _DIGITS_NAMED = 5, 16
"""How many candidates a message names, and how many digits of their keys."""


class ArchitectureStore:
    """The architectures, each with its graph of blocks."""

    def __init__(self, database: Database, indexed: Callable[[], frozenset[str]]) -> None:
        """
        Args:
            database: the database that holds the architectures.
            indexed: returns the names of the measures that have an index.
        """
        self._database = database
        self._indexed = indexed

    def add(self, architectures: Iterable[Architecture], *, batch_size: int = 1000) -> int:
        """Stores the architectures that are not stored yet; returns how many were new.

        Args:
            architectures: any number of architectures, consumed in batches of one transaction each.
            batch_size: the most architectures in a transaction; fewer if their graphs are large.

        Raises:
            InputError: an attribute cannot be stored; then none of its batch is stored.
        """
        return sum(self._add(batch) for batch in _by_elements(rows.batches(architectures, batch_size)))

    def _add(self, batch: list[Architecture]) -> int:
        by_key = {architecture.key: architecture for architecture in batch}
        # In key order, as two processes that store the same designs in different orders would block each other.
        prepared = {key: rows.architecture_row(by_key[key]) for key in sorted(by_key)}

        def work(transaction: Transaction) -> int:
            known = {row[0] for row in transaction.run(cypher.KNOWN_ARCHITECTURES, keys=list(prepared))}
            new = [row for key, row in prepared.items() if key not in known]
            if new:
                transaction.run(cypher.CREATE_ARCHITECTURES, rows=new)
            return len(new)

        return self._database.transact(work)

    def get(self, key: str) -> Architecture:
        """Returns the architecture with this key.

        Raises:
            NotFoundError: no architecture has this key.
        """
        stored = self.get_many([key])
        if key not in stored:
            raise NotFoundError(f"No architecture has the key {key!r}.")
        return stored[key]

    def get_many(self, keys: Sequence[str]) -> dict[str, Architecture]:
        """The stored architectures among these keys, in one query."""
        stored = {
            row[0]: rows.architecture_of(row)
            for row in self._database.read(cypher.READ_ARCHITECTURES, keys=list(dict.fromkeys(keys)))
        }
        return {key: stored[key] for key in keys if key in stored}

    def find(self, filter: ArchitectureFilter, *, first: int = 20, after: str | None = None) -> Page[Architecture]:
        """Returns the next `first` architectures in key order.

        Args:
            filter: the conditions.
            first: the length of the page.
            after: the `end_cursor` of the previous page.

        Raises:
            InputError: `first` is below 1.
        """
        if first < 1:
            raise InputError(f"The page length is {first}; it must be at least 1.")
        source, parameters = self._listing(filter)
        listed = self._database.read(
            source + cypher.CONDITIONS + cypher.PAGE, **parameters, after=after or "", limit=first + 1
        )
        total = self._database.read(source + cypher.CONDITIONS + cypher.TOTAL, **parameters, after="")[0][0]
        items = tuple(rows.architecture_of(row) for row in listed[:first])
        return Page(items, items[-1].key if items else None, len(listed) > first, total)

    def keys(self, filter: ArchitectureFilter) -> list[str]:
        """The keys of all architectures that match the filter, in order."""
        source, parameters = self._listing(filter)
        return [row[0] for row in self._database.read(source + cypher.CONDITIONS + cypher.KEYS, **parameters, after="")]

    def listed(
        self, filter: ArchitectureFilter, *, first: int = 20, after: str | None = None, order: Order | None = None
    ) -> Page[ListedArchitecture]:
        """Returns the next `first` architectures without their graphs, in key order or by a measure.

        Args:
            filter: the conditions.
            first: the length of the page.
            after: the `end_cursor` of the previous page of the same order.
            order: the order; None for key order. Architectures without the measure are left out.

        Raises:
            InputError: `first` is below 1, or `after` is no cursor of this order.
        """
        if first < 1:
            raise InputError(f"The page length is {first}; it must be at least 1.")
        if order is not None:  # also where it is no condition, as its index may be the shortest way
            filter = replace(filter, measure_ranges=(*filter.measure_ranges, Range(order.measure)))
        source, parameters = self._listing(filter)
        selected = cypher.ROWS
        parameters |= {"after": (after or "") if order is None else "", "limit": first + 1}
        if order is not None:
            value, key = _position(after, order)
            parameters |= {"measure": rows.MEASURE + rows.identifier(order.measure, "measure")}
            parameters |= {"from": value, "from_key": key}
            selected = cypher.ROWS_DESCENDING if order.descending else cypher.ROWS_ASCENDING
        listed = self._database.read(source + cypher.CONDITIONS + selected, **parameters)
        total = self._database.read(source + cypher.CONDITIONS + cypher.TOTAL, **(parameters | {"after": ""}))[0][0]
        items = tuple(ListedArchitecture(*row) for row in listed[:first])
        return Page(items, _cursor(items[-1], order) if items else None, len(listed) > first, total)

    def twins(self, architectures: Iterable[Architecture]) -> dict[str, list[Twin]]:
        """Key -> the stored architectures of the same domain with an equal graph but another key, in one query."""
        asked = list(architectures)
        stored = self._database.read(cypher.TWINS, fingerprints=list({one.fingerprint for one in asked}))
        return {
            one.key: [
                Twin(key, space)
                for fingerprint, domain, key, space in stored
                if (fingerprint, domain) == (one.fingerprint, one.domain) and key != one.key
            ]
            for one in asked
        }

    def resolve(self, prefix: str) -> str:
        """Returns the only key that begins with these 6 to 64 hexadecimal digits.

        Raises:
            InputError: the prefix is not of that form, or several keys begin with it.
            NotFoundError: no key begins with it.
        """
        if not _PREFIX.fullmatch(prefix):
            raise InputError(f"{prefix!r} is not the beginning of a key; 6 to 64 hexadecimal digits are.")
        keys = [row[0] for row in self._database.read(cypher.KEYS_WITH_PREFIX, prefix=prefix, limit=_MOST_NAMED + 1)]
        if not keys:
            raise NotFoundError(f"No architecture has a key that begins with {prefix!r}.")
        if len(keys) > 1:
            named = ", ".join(key[:_DIGITS_NAMED] for key in keys[:_MOST_NAMED])
            more = " ..." if len(keys) > _MOST_NAMED else ""
            raise InputError(f"Several keys begin with {prefix!r}: {named}{more}; give more digits.")
        key: str = keys[0]
        return key

    def add_derived(self, child_key: str, parent_key: str, how: str, properties: Mapping[str, Scalar]) -> None:
        """Records that a design came from another.

        Args:
            child_key: the key of the new design.
            parent_key: the key of the design that it came from.
            how: the kind of step, such as `crossover`, `mutation` or `weight transfer`.
            properties: more about the step.

        Raises:
            NotFoundError: one of the two is not stored.
        """
        for name in properties:
            rows.identifier(name, "property")
        done = self._database.write(
            cypher.ADD_DERIVED, child=child_key, parent=parent_key, how=how, properties=dict(properties)
        )
        if not done[0][0]:
            raise NotFoundError(f"No architecture has the key {child_key!r}, or none has {parent_key!r}.")

    def parents(self, keys: Sequence[str], limit: int) -> dict[str, list[Relative]]:
        """Key -> the parents of the design, at most `limit` each; designs without parents are left out. One query."""
        return self._relatives(cypher.PARENTS, keys, limit)

    def children(self, keys: Sequence[str], limit: int) -> dict[str, list[Relative]]:
        """Key -> the children of the design, at most `limit` each; designs without children are left out. One query."""
        return self._relatives(cypher.CHILDREN, keys, limit)

    def _relatives(self, query: LiteralString, keys: Sequence[str], limit: int) -> dict[str, list[Relative]]:
        relatives: dict[str, list[Relative]] = {}
        for key, other, how, properties in self._database.read(query, keys=list(dict.fromkeys(keys)), limit=limit):
            rest = {name: value for name, value in properties.items() if name != "how"}
            relatives.setdefault(key, []).append(Relative(other, how, rest))
        return relatives

    def _listing(self, filter: ArchitectureFilter) -> tuple[LiteralString, dict[str, Any]]:
        """The source and parameters of a listing: it starts from an indexed measure, else from the space or domain."""
        parameters: dict[str, Any] = {
            "domain": filter.domain,
            "space": filter.space,
            "choices": [
                {"name": rows.CHOICE + rows.identifier(name, "choice"), "value": value}
                for name, value in filter.choices.items()
            ],
            "choice_ranges": [_interval(rows.CHOICE, item, "choice") for item in filter.choice_ranges],
            "measure_ranges": [_interval(rows.MEASURE, item, "measure") for item in filter.measure_ranges],
            "block_kind": filter.block_kind,
            "measured": filter.measured,
        }
        indexed = self._indexed() if filter.measure_ranges else frozenset()
        for item, interval in zip(filter.measure_ranges, parameters["measure_ranges"], strict=True):
            if item.name in indexed:
                limits = {"low": interval["low"], "high": interval["high"]}
                return cypher.source_measure(item.name), parameters | limits
        if filter.space is not None:
            return cypher.SOURCE_SPACE, parameters
        return (cypher.SOURCE_DOMAIN if filter.domain is not None else cypher.SOURCE_ALL), parameters

    def counts(self) -> dict[str, int]:
        """The number of architectures per `domain/space`."""
        return dict(self._database.read(cypher.COUNT_ARCHITECTURES))


def _cursor(last: ListedArchitecture, order: Order | None) -> str:
    """The place of an architecture in a listing: its key, after its value if that determines the order."""
    return last.key if order is None else f"{float(last.value or 0.0).hex()}@{last.key}"


def _position(cursor: str | None, order: Order) -> tuple[float, str]:
    """The value and the key in a cursor; before everything for None.

    Raises:
        InputError: the text is no cursor of such a listing.
    """
    if cursor is None:
        return (float("inf") if order.descending else float("-inf")), ""
    value, _, key = cursor.partition("@")
    try:
        number = float.fromhex(value)
    except ValueError:
        number = float("nan")
    if number != number or not _KEY.fullmatch(key):
        raise InputError(f"{cursor[:100]!r} is not a cursor of a listing ordered by {order.measure}.")
    return number, key


def _by_elements(batches: Iterator[list[Architecture]]) -> Iterator[list[Architecture]]:
    """Splits batches so that each transaction creates about as many elements, whatever the size of the graphs."""
    for batch in batches:
        part: list[Architecture] = []
        elements = 0
        for architecture in batch:
            part.append(architecture)
            elements += 1 + 2 * len(architecture.blocks) + len(architecture.edges)
            if elements >= _ELEMENTS_AT_ONCE:
                yield part
                part, elements = [], 0
        if part:
            yield part


def _interval(prefix: str, item: Range, what: str) -> dict[str, Any]:
    low = float("-inf") if item.minimum is None else item.minimum
    high = float("inf") if item.maximum is None else item.maximum
    if not low <= high:
        raise InputError(f"The range of the {what} {item.name!r} goes from {low} to {high}; the minimum comes first.")
    return {"name": prefix + rows.identifier(item.name, what), "low": low, "high": high}
