"""The examples in the docstrings of contracts run, and every public class that plug-ins meet has one."""

from __future__ import annotations

import doctest
import inspect
import pkgutil
from enum import Enum
from importlib import import_module

import pytest

from explorer import contracts, toolkit

MODULES = [
    f"{package.__name__}.{module.name}"
    for package in (contracts, toolkit)
    for module in pkgutil.iter_modules(package.__path__)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    done = doctest.testmod(import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert done.failed == 0


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith(contracts.__name__)])
def test_public_classes_have_an_example(name: str) -> None:
    module = import_module(name)
    lacking = [
        member.__name__
        for member in vars(module).values()
        if inspect.isclass(member)
        and member.__module__ == name
        and not member.__name__.startswith("_")
        and not issubclass(member, Enum | BaseException)
        and not getattr(member, "_is_protocol", False)
        and ">>>" not in (inspect.getdoc(member) or "")
    ]
    assert lacking == []
