"""Settings of the database: from the environment, or an embedded server in a data directory."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from graphdb.errors import InputError

LONGEST_RETRY_S = 600.0


@dataclass(frozen=True)
class Settings:
    """How to reach the database.

    Attributes:
        uri: the address of a running server (NEO4J_URI); None for the embedded server of `data_directory`.
        username: NEO4J_USERNAME, default `neo4j`.
        password: NEO4J_PASSWORD; never shown. The embedded server has its own password, kept in its data directory.
        data_directory: EXPLORER_DATA, default `.explorer` in the current directory; absolute.
        database: NEO4J_DATABASE, default `neo4j`.
        retry_s: how long a query is repeated while the server does not answer (EXPLORER_RETRY_S), 0 to 600 s.

    Raises:
        InputError: `retry_s` is out of range.
    """

    uri: str | None = None
    username: str = "neo4j"
    password: str | None = field(default=None, repr=False)
    data_directory: Path = Path(".explorer")
    database: str = "neo4j"
    retry_s: float = 10.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.retry_s) and 0 <= self.retry_s <= LONGEST_RETRY_S):
            raise _refused(str(self.retry_s))
        object.__setattr__(self, "data_directory", self.data_directory.expanduser().absolute())

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """The settings given by the environment variables; an empty variable counts as unset.

        Raises:
            InputError: EXPLORER_RETRY_S is not a number of seconds, or is out of range.
        """
        return cls(
            uri=environment.get("NEO4J_URI") or None,
            username=environment.get("NEO4J_USERNAME") or "neo4j",
            password=environment.get("NEO4J_PASSWORD") or None,
            data_directory=Path(environment.get("EXPLORER_DATA") or ".explorer"),
            database=environment.get("NEO4J_DATABASE") or "neo4j",
            retry_s=_seconds(environment.get("EXPLORER_RETRY_S") or "10"),
        )

    def environment(self) -> dict[str, str]:
        """The environment of this process with these settings in it, for a child process."""
        values = {
            "NEO4J_URI": self.uri,
            "NEO4J_USERNAME": self.username,
            "NEO4J_PASSWORD": self.password,
            "NEO4J_DATABASE": self.database,
            "EXPLORER_DATA": str(self.data_directory),
            "EXPLORER_RETRY_S": str(self.retry_s),
        }
        kept = {name: value for name, value in os.environ.items() if name not in values}
        return kept | {name: value for name, value in values.items() if value is not None}


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise _refused(repr(text[:40])) from None


def _refused(value: str) -> InputError:
    return InputError(f"EXPLORER_RETRY_S is {value}; allowed: 0 to {LONGEST_RETRY_S:g} seconds.")
