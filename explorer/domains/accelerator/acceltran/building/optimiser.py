"""The optimiser step of a program: stochastic gradient descent, or Adam with its two moments.

It follows the whole backward pass, as it must if gradients are clipped by their norm. For each parameter it reads the
weight, the gradient and the state, and makes new ones; for the embeddings it does so only for the rows that the batch
looked up (lazily, as sparse optimisers do). Gradient descent takes one elementwise pass; Adam takes three: both
moments, then the weight.
"""

from __future__ import annotations

from functools import lru_cache

from explorer.domains.accelerator.acceltran.building.head_gradients import Parameter
from explorer.domains.accelerator.acceltran.building.options import ProgramOptions
from explorer.domains.accelerator.acceltran.building.section import Lists, Section
from explorer.domains.accelerator.acceltran.program import Kind, TensorRole
from explorer.domains.accelerator.acceltran.settings.run import TrainingRule

_MOMENTS = {TrainingRule.SGD: 0, TrainingRule.ADAM: 2}


def optimiser_step(section: Section, parameters: list[Parameter]) -> None:
    """Append the update of parameters."""
    for parameter in parameters:
        section.extend(_update(section.options, parameter))


@lru_cache(maxsize=32768)
def _update(options: ProgramOptions, parameter: Parameter) -> Lists:
    section, buffer, moments = Section(options), parameter.buffer, _MOMENTS[options.optimiser]
    elements = parameter.copies * parameter.rows * parameter.columns
    name = parameter.tensor.removesuffix("-l")
    rows = parameter.tensor if parameter.role is TensorRole.WEIGHT else f"{name}[rows]-l"
    needs = [
        section.load(rows, elements, parameter.role, buffer),
        section.load(parameter.gradient, elements, TensorRole.GRADIENT, buffer),
    ]
    made = [("step", elements, parameter.role)]
    if moments:
        needs.append(section.load(f"{name}[state]-l", moments * elements, TensorRole.OPTIMISER_STATE, buffer))
        made.append(("state", moments * elements, TensorRole.OPTIMISER_STATE))
    step = section.run(
        f"{name}[step]",
        Kind.ELEMENTWISE,
        parameter.rows,
        parameter.columns,
        roles=(parameter.role, TensorRole.GRADIENT),
        needs=tuple(needs),
        batch=parameter.copies * (1 + moments),
        backward=True,
    )
    for part, size, role in made:
        tensor = section.store(f"{name}[{part}]", size, role, step, buffer)
        if options.write_back:
            section.write_back(tensor, size, role, step, buffer)
    return section.finished()
