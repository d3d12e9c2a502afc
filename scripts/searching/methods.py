"""All methods by name: our own optimisers, and those of other libraries where these are installed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from explorer.contracts.optimiser import D, Optimiser, Outcome
from explorer.search.making import make
from explorer.search.options import OptimiserName
from scripts.searching.problem import Task
from scripts.searching.running import Search


class Own:
    """One of our optimisers, asked in rounds."""

    def __init__(self, optimiser: Optimiser[D]) -> None:
        self.optimiser: Optimiser[Any] = optimiser

    def ask(self, count: int) -> Sequence[tuple[Any, str]]:
        return [(proposal.design, proposal.origin) for proposal in self.optimiser.ask(count)]

    def tell(self, design: Any, outcome: Outcome) -> None:
        self.optimiser.tell(design, outcome)


@dataclass(frozen=True)
class Method:
    """A way to search.

    Attributes:
        make: task and seed -> the search.
        needs: packages that must be installed.
        several: whether it takes several objectives.
        single: whether it takes one objective.
        continuous: whether it takes continuous entries.
        discrete: whether it takes other entries.
        graphs: whether it needs designs that are graphs.
        recalling: whether it differs from another only where there is something to recall.
        slow: whether a run takes minutes, so that it is run last and with fewer seeds.
    """

    make: Callable[[Task[Any], int], Search]
    needs: tuple[str, ...] = ()
    several: bool = False
    single: bool = True
    continuous: bool = True
    discrete: bool = True
    graphs: bool = False
    slow: bool = False
    recalling: bool = False

    def refusal(self, task: Task[Any]) -> str | None:
        """The reason why it cannot do a task here, if there is one."""
        missing = [name for name in self.needs if find_spec(name) is None]
        if missing:
            return f"not installed: {', '.join(missing)}"
        if task.objectives > 1 and not self.several:
            return "takes one objective"
        if task.objectives == 1 and not self.single:
            return "takes several objectives"
        continuous = any(entry.nature == "continuous" for entry in task.flat.entries)
        if continuous and not self.continuous:
            return "takes no continuous entries"
        if not continuous and not self.discrete:
            return "takes continuous entries only"
        if self.recalling and task.recalled is None:
            return "has nothing to forget"
        if self.graphs and task.graph is None:
            return "needs designs that are graphs"
        return None


def own(name: str, recalls: bool = False, **options: Any) -> Callable[[Task[Any], int], Search]:
    """A maker of one of our optimisers.

    Args:
        name: which one.
        recalls: whether it is told what was measured before.
        options: its options.
    """

    def maker(task: Task[Any], seed: int) -> Search:
        optimiser = make(OptimiserName(name), options, task.candidates, seed, task.goal)
        if recalls and task.recalled is not None:
            for design, outcome in task.recalled():
                optimiser.recall(design, outcome)
        return Own(optimiser)

    return maker


def _ours() -> dict[str, Method]:
    """Those of our optimisers that are there; the published forms train networks at every step."""
    several = {"default", "random", "evolution", "local-search", "breathe", "g-breathe"}
    light = {"default", "random", "evolution", "local-search"}
    return {
        name.value: Method(
            own(name.value, recalls=name.value == "default"),
            several=name.value in several,
            graphs=name.value == "g-breathe",
            slow=name.value not in light,
        )
        for name in OptimiserName
    }


METHODS: dict[str, Method] = {
    **_ours(),
    "default-cold": Method(own("default"), recalling=True),
}
"""Name -> method."""

ABLATIONS: dict[str, Method] = {}
"""Name -> the default without one of its parts."""
