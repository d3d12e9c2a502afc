"""All methods by name: our own optimisers, and those of other libraries where these are installed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

from explorer.contracts.optimiser import D, Optimiser, Outcome, VectorCandidates
from explorer.search.making import make
from explorer.search.options import OPTIONS, OptimiserName
from explorer.search.space_candidates import GraphCandidates
from scripts.searching import peers
from scripts.searching.problem import Task
from scripts.searching.running import Search
from scripts.searching.surrogates import Climbing, Forest, PathEnsemble, WeisfeilerLehman


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
        graphs: whether it needs designs that can be seen as graphs.
        vectors, architectures, pairs: whether it needs designs that are vectors, graphs, or pairs of two roles.
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
    vectors: bool = False
    architectures: bool = False
    pairs: bool = False

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
        if self.vectors and not isinstance(task.candidates, VectorCandidates):
            return "needs designs that are vectors"
        if self.architectures and not isinstance(task.candidates, GraphCandidates):
            return "needs designs that are graphs"
        if self.pairs and not task.name.startswith("transcode"):
            return "needs pairs"
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


_VECTORS = {"boshnas", "boshcode", "breathe"}
"""Those that follow gradients with respect to vectors."""


def _ours() -> dict[str, Method]:
    """Those of our optimisers that are there; the published forms train networks at every step."""
    several = {"default", "random", "evolution", "local-search", "breathe", "g-breathe"}
    light = {"default", "random", "evolution", "local-search"}
    return {
        name.value: Method(
            own(name.value, recalls=name.value == "default"),
            several=name.value in several,
            vectors=name in _VECTORS,
            architectures=name.value == "g-breathe",
            slow=name.value not in light,
        )
        for name in OptimiserName
    }


METHODS: dict[str, Method] = {
    **_ours(),
    "default-cold": Method(own("default"), recalling=True),
    "forest": Method(lambda task, seed: Climbing(task, seed, Forest(task, seed)), needs=("sklearn",)),
    "paths": Method(lambda task, seed: Climbing(task, seed, PathEnsemble(task, seed)), graphs=True, slow=True),
    "wl-gp": Method(lambda task, seed: Climbing(task, seed, WeisfeilerLehman(task, seed)), graphs=True),
    "ngopt": Method(peers.Nevergrad, needs=("nevergrad",), several=True),
    "tpe": Method(partial(peers.Optuna, sampler="tpe"), needs=("optuna",), several=True),
    "cma-es": Method(partial(peers.Optuna, sampler="cma"), needs=("optuna", "cmaes")),
    "optuna-nsga2": Method(partial(peers.Optuna, sampler="nsga2"), needs=("optuna",), several=True, single=False),
    "pymoo-nsga2": Method(peers.Pymoo, needs=("pymoo",), several=True, single=False),
    "gpsampler": Method(partial(peers.Optuna, sampler="gp"), needs=("optuna",), several=True, slow=True),
    "smac": Method(peers.Smac, needs=("smac",), slow=True),
    "botorch": Method(peers.Botorch, needs=("botorch",), several=True, slow=True),
    "turbo": Method(peers.Turbo, needs=("botorch",), slow=True),
    "hebo": Method(peers.Hebo, needs=("hebo",), slow=True),
}
"""Name -> method."""


def _ablations() -> dict[str, Method]:
    """Each part of the default that its options can switch off, and the same of BOSHCODE."""
    made = {
        f"{name.value}-without-{option.replace('_', '-')}": Method(
            own(name.value, **{option: False}), several=name is OptimiserName.DEFAULT, vectors=name in _VECTORS
        )
        for name in (OptimiserName.DEFAULT, OptimiserName.BOSHCODE)
        for option, field in OPTIONS[name].model_fields.items()
        if field.annotation is bool and field.default is True
    }
    return made | {"default-cold": METHODS["default-cold"], "default-one-sided": Method(_one_sided, pairs=True)}


def _one_sided(task: Task[Any], seed: int) -> Search:
    from scripts.searching.transcode import one_sided

    return Own(make(OptimiserName.DEFAULT, {}, one_sided(), seed, task.goal))


ABLATIONS = _ablations()
"""Name -> the default, or BOSHCODE, without one of its parts."""
