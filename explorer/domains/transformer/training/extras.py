"""The packages of the extra `train`, imported only for training."""

from __future__ import annotations

import importlib
from typing import Any

from graphdb.errors import InputError


def extra(module: str) -> Any:
    """Import a module of Hugging Face's packages.

    Raises:
        InputError: the extra is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(
            f"Training needs the package {module.partition('.')[0]}, which is not installed; "
            "install it with `pip install explorer-codesign[train]`."
        ) from error
