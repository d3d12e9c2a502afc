"""Where the database is: from the environment, or an embedded server in a data directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """How to reach the database.

    Attributes:
        uri: of a running server (NEO4J_URI); None for the embedded one of `data_directory`.
        username: NEO4J_USERNAME, default `neo4j`.
        password: NEO4J_PASSWORD; never shown. The embedded server has its own, kept in its data directory.
        data_directory: EXPLORER_DATA, default `.explorer` in the current directory; absolute.
        database: NEO4J_DATABASE, default `neo4j`.
    """

    uri: str | None = None
    username: str = "neo4j"
    password: str | None = field(default=None, repr=False)
    data_directory: Path = Path(".explorer")
    database: str = "neo4j"

    def __post_init__(self) -> None:
        object.__setattr__(self, "data_directory", self.data_directory.expanduser().absolute())

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """The settings that the environment variables ask for; an empty variable counts as unset."""
        return cls(
            uri=environment.get("NEO4J_URI") or None,
            username=environment.get("NEO4J_USERNAME") or "neo4j",
            password=environment.get("NEO4J_PASSWORD") or None,
            data_directory=Path(environment.get("EXPLORER_DATA") or ".explorer"),
            database=environment.get("NEO4J_DATABASE") or "neo4j",
        )

    def environment(self) -> dict[str, str]:
        """This process's environment with these settings in it: what a child process is to be given."""
        values = {
            "NEO4J_URI": self.uri,
            "NEO4J_USERNAME": self.username,
            "NEO4J_PASSWORD": self.password,
            "NEO4J_DATABASE": self.database,
            "EXPLORER_DATA": str(self.data_directory),
        }
        kept = {name: value for name, value in os.environ.items() if name not in values}
        return kept | {name: value for name, value in values.items() if value is not None}
