"""A program that sweeps over pairs of the toy until it is killed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from explorer.contracts.simulator import Roles
from explorer.running.sweep import sweep
from graphdb.connection import open_store
from graphdb.settings import Settings
from tests.fault import toy

COUNT = 400


def pairs() -> list[Roles]:
    """Pairs of points, some of which the toy refuses."""
    return [{"model": toy.architecture(at % 20), "accelerator": toy.architecture(at // 20)} for at in range(COUNT)]


def main() -> None:
    """Run the sweep to its end in this process, two chunks at a time."""
    toy.register()
    with open_store(Settings.from_environment()) as store, ThreadPoolExecutor(2) as executor:
        sweep(store, executor, "toy", pairs(), {}, chunk=4)


if __name__ == "__main__":
    main()
