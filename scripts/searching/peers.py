"""Searches of other libraries. Each class imports its library when it is made, and sees designs as rows of numbers.

Each has the settings that its authors ship, unless its docstring says otherwise.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.contracts.description import Entry, Nature
from explorer.contracts.optimiser import Outcome
from scripts.searching.problem import Task

Array = NDArray[np.float64]
WORST = 1e6
"""The loss of a design that could not be measured, for libraries without a notion of failure."""


def losses_of(outcome: Outcome, count: int) -> list[float]:
    """The values as losses."""
    return [-value for value in outcome.values] if outcome.measured else [WORST] * count


class Cube:
    """The flat form of designs in the unit cube; a categorical entry is a place for each value, or a single index."""

    def __init__(self, entries: Sequence[Entry], one_hot: bool) -> None:
        self._entries = entries
        self._one_hot = one_hot
        self.widths = [self._values(e) if self._spread(e) else 1 for e in entries]

    @property
    def size(self) -> int:
        """The number of coordinates."""
        return sum(self.widths)

    def row(self, point: Array) -> Array:
        """The row of a point of the cube."""
        row, place = np.zeros(len(self._entries)), 0
        for index, (entry, width) in enumerate(zip(self._entries, self.widths, strict=True)):
            part = point[place : place + width]
            place += width
            if self._spread(entry):
                row[index] = entry.low + int(part.argmax())
            elif entry.nature is Nature.CONTINUOUS:
                row[index] = entry.low + float(part[0]) * (entry.high - entry.low)
            else:
                row[index] = entry.low + min(int(part[0] * self._values(entry)), self._values(entry) - 1)
        return row

    def snapped(self, point: Array) -> Array:
        """The middle of the cell of a point, where entries are not continuous."""
        snapped, place = np.array(point, dtype=np.float64), 0
        for entry, width in zip(self._entries, self.widths, strict=True):
            part = snapped[place : place + width]
            if self._spread(entry):
                part[:] = np.eye(width)[int(part.argmax())]
            elif entry.nature is not Nature.CONTINUOUS:
                count = self._values(entry)
                part[0] = (min(int(part[0] * count), count - 1) + 0.5) / count
            place += width
        return snapped

    def _spread(self, entry: Entry) -> bool:
        return self._one_hot and entry.nature is Nature.CATEGORICAL and self._values(entry) > 2

    @staticmethod
    def _values(entry: Entry) -> int:
        return int(entry.high - entry.low) + 1


class Nevergrad:
    """NGOpt: chooses among Nevergrad's algorithms by the kind of entries and the budget."""

    def __init__(self, task: Task[Any], seed: int) -> None:
        import nevergrad as ng

        self._task = task
        parts = []
        for entry in task.flat.entries:
            if entry.nature is Nature.CONTINUOUS:
                parts.append(ng.p.Scalar(lower=entry.low, upper=entry.high))
            else:
                kind = ng.p.TransitionChoice if entry.nature is Nature.ORDERED else ng.p.Choice
                parts.append(kind([float(value) for value in range(int(entry.low), int(entry.high) + 1)]))
        space = ng.p.Tuple(*parts)
        space.random_state.seed(seed)
        self._search = ng.optimizers.NGOpt(space, budget=task.budget, num_workers=task.batch)
        if task.objectives > 1:
            self._search.num_objectives = task.objectives
        self._asked: list[Any] = []

    def ask(self, count: int) -> list[tuple[Any, str]]:
        self._asked = [self._search.ask() for _ in range(count)]
        return [(self._task.flat.decode(np.array(one.value, dtype=np.float64)), "") for one in self._asked]

    def tell(self, design: Any, outcome: Outcome) -> None:
        candidate = self._asked.pop(0)
        losses = losses_of(outcome, self._task.objectives)
        loss = losses if len(losses) > 1 else losses[0]
        if outcome.violations:
            self._search.tell(candidate, loss, [float(v) for v in outcome.violations])
        else:
            self._search.tell(candidate, loss)


class Optuna:
    """One of Optuna's samplers: tpe, gp, nsga2 or cma. CMA-ES knows no categories: they are numbers to it."""

    def __init__(self, task: Task[Any], seed: int, sampler: str) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._task = task
        limited: dict[str, Any] = (
            {"constraints_func": lambda trial: trial.user_attrs["violations"]} if task.constraints else {}
        )
        if sampler == "tpe":
            chosen: Any = optuna.samplers.TPESampler(seed=seed, constant_liar=task.batch > 1, **limited)
        elif sampler == "gp":
            chosen = optuna.samplers.GPSampler(seed=seed, deterministic_objective=task.true is None, **limited)
        elif sampler == "nsga2":
            chosen = optuna.samplers.NSGAIISampler(seed=seed, population_size=20, **limited)
        else:
            chosen = optuna.samplers.CmaEsSampler(seed=seed)
        self._space: dict[str, Any] = {}
        for index, entry in enumerate(task.flat.entries):
            whole = range(int(entry.low), int(entry.high) + 1)
            if entry.nature is Nature.CONTINUOUS:
                kind: Any = optuna.distributions.FloatDistribution(entry.low, entry.high)
            elif entry.nature is Nature.CATEGORICAL and sampler != "cma":
                kind = optuna.distributions.CategoricalDistribution(list(whole))
            else:
                kind = optuna.distributions.IntDistribution(whole[0], whole[-1])
            self._space[f"x{index}"] = kind
        self._study = optuna.create_study(directions=["minimize"] * task.objectives, sampler=chosen)
        self._asked: list[Any] = []

    def ask(self, count: int) -> list[tuple[Any, str]]:
        self._asked = [self._study.ask(self._space) for _ in range(count)]
        rows = [np.array([trial.params[name] for name in self._space], dtype=np.float64) for trial in self._asked]
        return [(self._task.flat.decode(row), "") for row in rows]

    def tell(self, design: Any, outcome: Outcome) -> None:
        trial = self._asked.pop(0)
        if self._task.constraints:
            violations = outcome.violations or (WORST,) * self._task.constraints
            trial.set_user_attr("violations", [float(violation) for violation in violations])
        self._study.tell(trial, losses_of(outcome, self._task.objectives))


class Smac:
    """SMAC3 for black boxes with up to a few hundred evaluations: a random forest, log expected improvement."""

    def __init__(self, task: Task[Any], seed: int) -> None:
        import tempfile
        from pathlib import Path

        from ConfigSpace import CategoricalHyperparameter, ConfigurationSpace, Float, Integer
        from smac import HyperparameterOptimizationFacade, Scenario

        logging.getLogger("smac").setLevel(logging.ERROR)
        self._task = task
        space = ConfigurationSpace(seed=seed)
        for index, entry in enumerate(task.flat.entries):
            name, whole = f"x{index}", range(int(entry.low), int(entry.high) + 1)
            if len(whole) == 1 and entry.nature is not Nature.CONTINUOUS:
                space.add(CategoricalHyperparameter(name, list(whole)))
            elif entry.nature is Nature.CONTINUOUS:
                space.add(Float(name, (entry.low, entry.high)))
            elif entry.nature is Nature.ORDERED:
                space.add(Integer(name, (whole[0], whole[-1])))
            else:
                space.add(CategoricalHyperparameter(name, list(whole)))
        scenario = Scenario(
            space,
            deterministic=True,
            n_trials=task.budget,
            seed=seed,
            output_directory=Path(tempfile.mkdtemp(prefix="smac-")),
        )
        self._search = HyperparameterOptimizationFacade(
            scenario, lambda config, seed=0: 0.0, overwrite=True, logging_level=False
        )
        self._asked: list[Any] = []

    def ask(self, count: int) -> list[tuple[Any, str]]:
        self._asked = [self._search.ask() for _ in range(count)]
        names = [f"x{index}" for index in range(len(self._task.flat.entries))]
        rows = [np.array([float(one.config[name]) for name in names]) for one in self._asked]
        return [(self._task.flat.decode(row), "") for row in rows]

    def tell(self, design: Any, outcome: Outcome) -> None:
        from smac.runhistory.dataclasses import TrialValue

        self._search.tell(self._asked.pop(0), TrialValue(cost=losses_of(outcome, 1)[0]))


class Pymoo:
    """NSGA-II with a population of 20, in the unit cube, rounded where entries are not continuous."""

    def __init__(self, task: Task[Any], seed: int) -> None:
        from pymoo.algorithms.moo.nsga2 import NSGA2
        from pymoo.core.problem import Problem

        self._task = task
        self._cube = Cube(task.flat.entries, one_hot=False)
        problem = Problem(n_var=self._cube.size, n_obj=task.objectives, n_ieq_constr=task.constraints, xl=0.0, xu=1.0)
        self._search = NSGA2(pop_size=20)
        self._search.setup(problem, seed=seed, termination=("n_eval", 10**6), verbose=False)
        self._population: Any = None
        self._waiting: list[int] = []
        self._results: dict[int, Outcome] = {}

    def ask(self, count: int) -> list[tuple[Any, str]]:
        if self._population is None:
            self._population = self._search.ask()
            self._waiting = list(range(len(self._population)))
            self._results = {}
            self._next = 0
        some = self._waiting[self._next : self._next + count]
        self._next += len(some)
        points = self._population.get("X")
        return [(self._task.flat.decode(self._cube.row(points[i])), "") for i in some]

    def tell(self, design: Any, outcome: Outcome) -> None:
        self._results[len(self._results)] = outcome
        if len(self._results) < len(self._population):
            return
        told = [self._results[i] for i in range(len(self._population))]
        self._population.set("F", np.array([losses_of(one, self._task.objectives) for one in told]))
        if self._task.constraints:
            failed = (WORST,) * self._task.constraints
            self._population.set("G", np.array([one.violations or failed for one in told]))
        from pymoo.core.evaluator import Evaluator
        from pymoo.problems.static import StaticProblem

        attributes = {"F": self._population.get("F")}
        if self._task.constraints:
            attributes["G"] = self._population.get("G")
        Evaluator().eval(StaticProblem(self._search.problem, **attributes), self._population)
        self._search.tell(infills=self._population)
        self._population = None


class Botorch:
    """A Gaussian process for each output; log expected improvement, or noisy hypervolume improvement with constraints.

    Twice the dimension plus two Sobol points first (at most 20), 64 samples, 4 restarts from 128 raw points: light
    settings. Entries that are not continuous are relaxed and rounded, categories as one coordinate for each value.
    """

    def __init__(self, task: Task[Any], seed: int) -> None:
        import torch

        self._task, self._seed = task, seed
        self._cube = Cube(task.flat.entries, one_hot=True)
        self._initial = min(20, 2 * len(task.flat.entries) + 2)
        self._sobol = torch.quasirandom.SobolEngine(self._cube.size, scramble=True, seed=seed)
        self._points: list[Array] = []
        self._values: list[list[float]] = []
        self._slacks: list[list[float]] = []
        self._asked: list[Array] = []

    def ask(self, count: int) -> list[tuple[Any, str]]:
        import torch

        if len(self._points) < self._initial:
            points = self._sobol.draw(count).double().numpy()
            origin = "initial"
        else:
            torch.manual_seed(1000 * self._seed + len(self._points))
            points = self._chosen(count)
            origin = "acquisition"
        self._asked = [self._cube.snapped(np.asarray(point)) for point in points]
        return [(self._task.flat.decode(self._cube.row(point)), origin) for point in self._asked]

    def _chosen(self, count: int) -> Array:
        import torch
        from botorch.acquisition.logei import qLogExpectedImprovement
        from botorch.acquisition.multi_objective.logei import qLogNoisyExpectedHypervolumeImprovement
        from botorch.acquisition.multi_objective.objective import IdentityMCMultiOutputObjective
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import ModelListGP, SingleTaskGP
        from botorch.models.transforms import Standardize
        from botorch.optim import optimize_acqf
        from botorch.sampling import SobolQMCNormalSampler
        from gpytorch.mlls import ExactMarginalLogLikelihood, SumMarginalLogLikelihood

        task = self._task
        inputs = torch.tensor(np.array(self._points))
        outputs = np.hstack([np.array(self._values), np.array(self._slacks)])
        outputs = np.where(np.isnan(outputs), np.nanmin(outputs, axis=0), outputs)
        targets = torch.tensor(outputs)
        models = [
            SingleTaskGP(inputs, targets[:, i : i + 1], outcome_transform=Standardize(1))
            for i in range(targets.shape[1])
        ]
        sampler = SobolQMCNormalSampler(torch.Size([64]), seed=self._seed)
        if task.objectives == 1 and not task.constraints:
            model: Any = models[0]
            fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
            acquisition: Any = qLogExpectedImprovement(model, best_f=targets.max(), sampler=sampler)
        else:
            model = ModelListGP(*models)
            fit_gpytorch_mll(SumMarginalLogLikelihood(model.likelihood, model))
            assert task.reference is not None
            limits = [(lambda y, i=i: -y[..., i]) for i in range(task.objectives, targets.shape[1])]
            acquisition = qLogNoisyExpectedHypervolumeImprovement(
                model,
                ref_point=list(task.reference),
                X_baseline=inputs,
                sampler=sampler,
                objective=IdentityMCMultiOutputObjective(outcomes=list(range(task.objectives))),
                constraints=limits or None,
                prune_baseline=True,
                cache_root=not limits,
            )
        bounds = torch.stack([torch.zeros(self._cube.size), torch.ones(self._cube.size)]).double()
        points, _ = optimize_acqf(
            acquisition,
            bounds,
            q=count,
            num_restarts=4,
            raw_samples=128,
            options={"maxiter": 60, "batch_limit": 4},
            sequential=True,
        )
        chosen: Array = points.detach().numpy()
        return chosen

    def tell(self, design: Any, outcome: Outcome) -> None:
        self._points.append(self._asked.pop(0))
        self._values.append(list(outcome.values))
        self._slacks.append(slacks_of(self._task, outcome))


def slacks_of(task: Task[Any], outcome: Outcome) -> list[float]:
    """How far each limit is kept: negative if it is not."""
    if not task.constraints or task.goal is None:
        return []
    learnt = task.goal.learnt(np.array([outcome.outputs]))[0] if outcome.outputs else [math.nan] * 99
    return [
        float(min(limit.high - learnt[limit.output], learnt[limit.output] - limit.low)) for limit in task.goal.limits
    ]


class Turbo:
    """TuRBO-1 (Eriksson and others 2019) with its published constants: one trust region, Thompson sampling.

    Twice the dimension of points first; the side of the region begins at 0.8, doubles after 3 successes, halves after
    max(4 / batch, dimension / batch) failures, and the region begins anew below 2^-7. The process is BoTorch's.
    """

    def __init__(self, task: Task[Any], seed: int) -> None:
        self._task, self._seed = task, seed
        self._cube = Cube(task.flat.entries, one_hot=True)
        self._failures_allowed = math.ceil(max(4.0, self._cube.size) / task.batch)
        self._initial = min(2 * self._cube.size, 40)
        self._count = self._regions = 0
        self._begin()

    def _begin(self) -> None:
        import torch

        self._regions += 1
        self._points: list[Array] = []
        self._values: list[float] = []
        self._side, self._successes, self._failures = 0.8, 0, 0
        self._sobol = torch.quasirandom.SobolEngine(
            self._cube.size, scramble=True, seed=self._seed + 1000 * self._regions
        )
        self._asked: list[Array] = []
        self._round: list[float] = []

    def ask(self, count: int) -> list[tuple[Any, str]]:
        if len(self._points) < self._initial:
            points, origin = self._sobol.draw(count).double().numpy(), "initial"
        else:
            points, origin = self._chosen(count), "region"
        self._asked = [self._cube.snapped(np.asarray(point)) for point in points]
        self._round = []
        return [(self._task.flat.decode(self._cube.row(point)), origin) for point in self._asked]

    def _chosen(self, count: int) -> Array:
        import torch
        from botorch.fit import fit_gpytorch_mll
        from botorch.generation import MaxPosteriorSampling
        from botorch.models import SingleTaskGP
        from botorch.models.transforms import Standardize
        from gpytorch.mlls import ExactMarginalLogLikelihood

        torch.manual_seed(1000 * self._seed + self._count)
        inputs = torch.tensor(np.array(self._points))
        values = np.array(self._values)
        targets = torch.tensor(np.where(np.isnan(values), np.nanmin(values), values))[:, None]
        model = SingleTaskGP(inputs, targets, outcome_transform=Standardize(1))
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        centre = inputs[int(targets.argmax())]
        scales = getattr(model.covar_module, "base_kernel", model.covar_module).lengthscale.squeeze().detach()
        weights = scales / scales.mean()
        weights = weights / torch.prod(weights.pow(1.0 / len(weights)))
        low = torch.clamp(centre - weights * self._side / 2, 0.0, 1.0)
        high = torch.clamp(centre + weights * self._side / 2, 0.0, 1.0)
        number = min(5000, max(2000, 200 * self._cube.size))
        drawn = low + (high - low) * self._sobol.draw(number).double()
        mask = torch.rand(number, self._cube.size) <= min(20.0 / self._cube.size, 1.0)
        empty = torch.nonzero(mask.sum(dim=1) == 0).flatten()
        mask[empty, torch.randint(0, self._cube.size, (len(empty),))] = True
        pool = torch.where(mask, drawn, centre.expand(number, -1))
        with torch.no_grad():
            chosen: Array = MaxPosteriorSampling(model, replacement=False)(pool, num_samples=count).numpy()
        return chosen

    def tell(self, design: Any, outcome: Outcome) -> None:
        before = np.nanmax(self._values) if self._values and not np.isnan(self._values).all() else -math.inf
        self._points.append(self._asked.pop(0))
        self._values.append(outcome.values[0])
        self._round.append(outcome.values[0])
        self._count += 1
        if self._asked or len(self._points) <= self._initial:
            return
        earlier = self._values[: -len(self._round)]
        before = np.nanmax(earlier) if earlier else before
        if np.nanmax([*self._round, -math.inf]) > before + 1e-3 * abs(before):
            self._successes, self._failures = self._successes + 1, 0
        else:
            self._successes, self._failures = 0, self._failures + 1
        if self._successes == 3:
            self._side, self._successes = min(2 * self._side, 1.6), 0
        elif self._failures == self._failures_allowed:
            self._side, self._failures = self._side / 2, 0
        if self._side < 0.5**7:
            self._begin()


class Hebo:
    """HEBO (Cowen-Rivers and others 2022): warped inputs and outputs, several acquisitions at once."""

    def __init__(self, task: Task[Any], seed: int) -> None:
        import torch
        from hebo.design_space.design_space import DesignSpace
        from hebo.optimizers.hebo import HEBO

        self._task = task
        spec: list[dict[str, Any]] = []
        for index, entry in enumerate(task.flat.entries):
            kind = {Nature.CONTINUOUS: "num", Nature.ORDERED: "int", Nature.CATEGORICAL: "cat"}[entry.nature]
            one: dict[str, Any] = {"name": f"x{index}", "type": kind}
            if kind == "cat":
                one["categories"] = [int(value) for value in range(int(entry.low), int(entry.high) + 1)]
            else:
                one |= {"lb": entry.low if kind == "num" else int(entry.low)}
                one |= {"ub": entry.high if kind == "num" else int(entry.high)}
            spec.append(one)
        np.random.seed(seed)  # noqa: NPY002 - HEBO draws from the global generators
        torch.manual_seed(seed)
        self._search = HEBO(DesignSpace().parse(spec), scramble_seed=seed)
        self._asked: list[Any] = []

    def ask(self, count: int) -> list[tuple[Any, str]]:
        table = self._search.suggest(n_suggestions=count)
        self._asked = [table.iloc[[i]] for i in range(len(table))]
        names = [f"x{index}" for index in range(len(self._task.flat.entries))]
        rows = [np.array([float(one[name].iloc[0]) for name in names]) for one in self._asked]
        return [(self._task.flat.decode(row), "") for row in rows]

    def tell(self, design: Any, outcome: Outcome) -> None:
        self._search.observe(self._asked.pop(0), np.array([losses_of(outcome, 1)]))
