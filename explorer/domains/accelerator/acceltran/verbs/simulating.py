"""`explorer simulate acceltran`: measure a Transformer on an accelerator, draw the run, and ablate the corrections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from explorer.contracts.fact import facts_json, facts_text
from explorer.contracts.measure import nested
from explorer.contracts.options import Flag
from explorer.contracts.reference import WAYS
from explorer.contracts.table import Findings, Table, architecture_json, short
from explorer.contracts.verb import Verb
from explorer.domains.accelerator.acceltran.settings.run import (
    NAME,
    Engine,
    Mode,
    RunOptions,
    RunSettings,
    run_settings,
)
from explorer.toolkit.folder import check_folder
from graphdb.architecture import Architecture
from graphdb.errors import InputError
from graphdb.measurement import Measurement

if TYPE_CHECKING:
    from explorer.contracts.session import Session
    from explorer.domains.accelerator.acceltran.engines.detailed import Run

EXAMPLE = "explorer simulate acceltran --model bert-tiny --accelerator edge --set batch_size=16"


class SimulationOptions(RunOptions):
    """Options of `explorer simulate acceltran`."""

    model: str = Field(description=f"Transformer, such as bert-tiny: {WAYS}.")
    accelerator: str = Field(description=f"Accelerator, such as edge: {WAYS}.")
    assignments: Annotated[dict[str, Any], Flag(names=("--set",), metavar="NAME=VALUE")] = Field(
        default_factory=dict,
        description="Setting of the run, or decision that replaces the accelerator's own; repeatable.",
    )
    library: Path | None = Field(default=None, description="YAML file of user-defined modules and memories.")
    ablate: bool = Field(default=False, description="Also print what each correction changes.")
    plot: Path | None = Field(default=None, description="Folder for pictures: timeline, energy, area and roofline.")


SIMULATE = Verb(
    NAME,
    "Simulate a Transformer on an AccelTran or ELECTOR accelerator; the result is stored and printed.",
    SimulationOptions,
    f"{__name__}:simulate",
    group="simulate",
    example=EXAMPLE,
)


def simulate(session: Session, options: SimulationOptions) -> Findings:
    """Measure a Transformer on an accelerator.

    Raises:
        InputError: an option is not allowed or would be ignored, or the architectures cannot be simulated.
    """
    if options.plot is not None:
        check_folder(options.plot, "--plot")
    decisions, settings = _given(options)
    full = run_settings(settings)
    _check_use(full, options)
    architectures = {
        "model": session.resolve(options.model, domain="transformer"),
        "accelerator": session.resolve(options.accelerator, domain="accelerator", overrides=decisions),
    }
    measurement = session.measure(NAME, architectures, full.model_dump(mode="json"))
    title = f"{Path(options.model).stem[:40]} on {Path(options.accelerator).stem[:40]}"
    files = [] if options.plot is None else _write_pictures(architectures, measurement, title, options.plot)
    corrections = _ablation(session, architectures, full) if options.ablate else []
    facts = {role: session.facts(architecture) for role, architecture in architectures.items()}
    more: dict[str, Any] = {"facts": {role: facts_json(some) for role, some in facts.items()}}
    if options.ablate:
        more["ablation"] = corrections
    if options.plot is not None:
        more["plots"] = [str(file) for file in files]
    shown = _shown(architectures, measurement, title, corrections)
    about = "\n".join(f"{role}: {facts_text(some)}" for role, some in facts.items())
    return Findings(_document(architectures, measurement) | more, [*shown[:-1], f"{about}\n{shown[-1]}"], files)


def _given(options: SimulationOptions) -> tuple[dict[str, Any], dict[str, Any]]:
    """Decisions that change the accelerator, and settings of the run."""
    from explorer.domains.accelerator.acceltran.chip.library import read_library
    from explorer.domains.accelerator.elector.overrides import OVERRIDES

    assigned = options.assignments
    decisions = {name: value for name, value in assigned.items() if name in OVERRIDES.names}
    known = RunSettings.model_fields
    for name in assigned:
        if name not in OVERRIDES.names and name not in known:
            allowed = ", ".join([*OVERRIDES.names, *known])
            raise InputError(f"--set {name}: there is no such setting; allowed: {allowed}.")
    flags = {name: getattr(options, name) for name in RunOptions.model_fields if name in options.model_fields_set}
    settings = flags | {name: value for name, value in assigned.items() if name in known}
    if options.library is not None:
        library = read_library(options.library)
        if "memory" in decisions:  # a user-defined memory replaces its name
            decisions["memory"] = library.memory_choice(decisions["memory"])
        if library.modules is not None:
            settings["library"] = library.modules
    return decisions, settings


def _check_use(settings: RunSettings, options: SimulationOptions) -> None:
    """Refuse flags that would have no effect.

    Raises:
        InputError: corrections are named in mode `reference`, or an ablation is asked of an engine without corrections.
    """
    if "correct" in options.model_fields_set and settings.mode is not Mode.CORRECTED:
        raise InputError(f"--correct has no effect in mode {settings.mode}; allowed with --mode corrected.")
    if options.ablate and settings.engine is not Engine.DETAILED:
        raise InputError(f"--ablate has no effect on the engine {settings.engine}; allowed with --engine detailed.")


def _write_pictures(
    architectures: Mapping[str, Architecture], measurement: Measurement, title: str, folder: Path
) -> list[Path]:
    from explorer.domains.accelerator.acceltran.findings.pictures import write_pictures, write_sums

    settings = run_settings(measurement.settings)
    choices = architectures["accelerator"].choices
    # The pair, for people, and the measurement, because the same pair can be measured with other settings.
    name = "-".join([*(short(one.key) for one in architectures.values()), short(measurement.key)])
    if settings.engine is Engine.FAST:
        return write_sums(measurement.measures, choices, settings, title, folder, name)
    run = _detailed(architectures, settings)
    return write_pictures(run.program, run.costs, run.trace, run.measures, choices, settings, title, folder, name)


def _ablation(
    session: Session, architectures: Mapping[str, Architecture], settings: RunSettings
) -> list[dict[str, Any]]:
    from explorer.domains.accelerator.acceltran.findings.ablation import ablation, table_rows

    session.report("Simulating with each correction")
    return table_rows(ablation(lambda chosen: _detailed(architectures, chosen).measures, settings))


def _detailed(architectures: Mapping[str, Architecture], settings: RunSettings) -> Run:
    """A run of the detailed engine, with its trace."""
    from explorer.domains.accelerator.acceltran.engines.detailed import simulate

    return simulate(architectures["model"].choices, architectures["accelerator"].choices, settings)


def _remarks(architectures: Mapping[str, Architecture]) -> list[str]:
    from explorer.domains.accelerator.acceltran.simulator import AccelTranSimulator

    return list(AccelTranSimulator().remarks(architectures))


def _document(architectures: Mapping[str, Architecture], measurement: Measurement) -> dict[str, Any]:
    from explorer.domains.accelerator.acceltran.measures import MEASURES

    remarks = _remarks(architectures)
    return {
        "key": measurement.key,
        "model": architecture_json(architectures["model"]),
        "accelerator": architecture_json(architectures["accelerator"]),
        "settings": dict(measurement.settings),
        "measures": nested(measurement.measures, MEASURES),
        **({"notes": remarks} if remarks else {}),
    }


def _shown(
    architectures: Mapping[str, Architecture],
    measurement: Measurement,
    title: str,
    corrections: Sequence[Mapping[str, Any]],
) -> list[Table | str]:
    from explorer.domains.accelerator.acceltran.findings.tables import ablation_table, tables

    shown: list[Table | str] = [*tables(measurement.measures, f"AccelTran: {title}")]
    if corrections:
        shown.append(ablation_table(corrections))
        shown += [f"{row['case']} {row['correction']}: {row['refusal']}" for row in corrections if row["refusal"]]
    shown += _remarks(architectures)
    pair = ", ".join(f"{role} {short(architecture.key)}" for role, architecture in architectures.items())
    settings = ", ".join(f"{name}={value}" for name, value in measurement.settings.items())
    return [*shown, f"{pair}\nsettings: {settings}\nstored as {short(measurement.key)}"]
