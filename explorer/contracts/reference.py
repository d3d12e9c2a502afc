"""The ways in which a user names an architecture, the same for every command."""

from __future__ import annotations

WAYS = "a preset, a key or its beginning, a JSON file, or JSON"
"""For help texts of whatever takes an architecture."""
