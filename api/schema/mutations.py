"""The mutations: one for each registered simulator, and searches with the registered recipes."""

# graphene has no types.
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import graphene

from api.schema.generated import (
    Names,
    chosen,
    described,
    field_name,
    mutation_name,
    plain_type_of,
    reachable,
    title_of,
)
from api.schema.inputs import ArchitectureInput, ConstraintInput, FixedRole, architecture_of, constraint_texts
from api.schema.scalars import JSON
from api.schema.study_mutations import delete_study, stop_study
from api.schema.study_types import Study
from api.schema.types import Measurement, context_of
from explorer import registry
from explorer.contracts.domain import RecipeEntry, SimulatorEntry
from explorer.contracts.options import Option
from explorer.contracts.simulator import Role
from explorer.services import simulations
from graphdb.errors import InputError
from graphdb.measurement import Measurement as MeasurementValue
from graphdb.records import StudyRecord
from graphdb.store import Store

logger = logging.getLogger("explorer.api")

SHARED = ("objective", "constraints")
"""Options of recipes that are arguments of every search."""

Resolver = Callable[..., Awaitable[Any]]


def mutation_type(reserved: Collection[str] = ()) -> Any:
    """The type `Mutation`, with everything that is registered now.

    Whatever cannot be offered, such as a simulator that cannot be imported, is left out, and the log says why.

    Args:
        reserved: the names of the schema's other types.
    """
    names = Names(reserved)
    fields: dict[str, Any] = {}
    for simulator in registry.simulators(shown=True):
        entry = registry.simulator_entry(simulator)
        try:
            name = mutation_name(entry)
            if name in fields:
                raise InputError(f"another simulator has the mutation {name}.")
            fields[name] = simulation(entry, registry.simulator(simulator).roles, names)
        except InputError as error:
            logger.warning("The API leaves out the simulator %s: %s", simulator, error)
    recipes = [registry.recipe_entry(name) for name in registry.recipes()]
    fields["searchBoshcode"] = search_by_name(recipes)
    settings: dict[str, RecipeEntry] = {}
    inputs: dict[str, Any] = {}
    for recipe in recipes:
        try:
            name = field_name(recipe.name)
            if name in settings:
                raise InputError(f"the recipe {settings[name].name} has the field {name}.")
            inputs[name] = recipe_settings(recipe, names)
            settings[name] = recipe
        except InputError as error:
            logger.warning("The API leaves out the settings of the recipe %s: %s", recipe.name, error)
    if settings:
        fields["search"] = search(settings, inputs)
    fields["stopStudy"], fields["deleteStudy"] = stop_study(), delete_study()
    return type("Mutation", (graphene.ObjectType,), {"__doc__": "Measurements and searches, both stored.", **fields})


def simulation(entry: SimulatorEntry, roles: Mapping[str, Role], names: Names) -> graphene.Field:
    """The mutation that runs a simulator.

    Args:
        entry: the entry of the simulator.
        roles: the roles of its architectures.
        names: the generated types.

    Raises:
        InputError: an option has the name of a role, or an enumeration has that of another type.
    """
    title = title_of(entry)
    options = reachable(entry.options)
    arguments = {
        role: graphene.Argument(ArchitectureInput, required=True, description=f"Domain: {who}.")
        for role, who in roles.items()
    }
    for option in options:
        if option.name in arguments:
            raise InputError(f"its option {option.name} has the name of a role.")
        arguments[option.name] = graphene.Argument(**described(option, title, names))

    async def resolve(root: None, info: graphene.ResolveInfo, /, **given: Any) -> MeasurementValue:
        context = context_of(info)
        settings = chosen(options, given)
        notes: list[str] = []
        measured = await context.simulate(_simulate, context.store, entry.name, given, settings, notes.append)
        context.notes[measured.key] = notes
        return measured

    return graphene.Field(
        graphene.NonNull(Measurement),
        args=arguments,
        description=f"{entry.help} The architectures are stored with the measurement.",
        resolver=resolve,
    )


def search_by_name(recipes: Sequence[RecipeEntry]) -> graphene.Field:
    """The mutation that starts a search with any recipe by its name, with the most important options of each recipe.

    An option may allow different values in each recipe, so choices are texts here, which the recipe checks.
    """
    fixed = _search_arguments(graphene.Argument(graphene.String, required=True, description="Name of the recipe."))
    own: dict[str, tuple[Option, list[str]]] = {}
    for recipe in recipes:
        try:
            for option in _named(recipe, fixed):
                known, users = own.setdefault(option.name, (option, []))
                if plain_type_of(known) is not plain_type_of(option):
                    raise InputError(f"its argument {option.name} has another type in the recipe {users[0]}.")
                users.append(recipe.name)
        except InputError as error:
            logger.warning("The API leaves out arguments of the recipe %s: %s", recipe.name, error)
    arguments = {
        name: graphene.Argument(plain_type_of(option), description=f"For {' and '.join(users)}: {option.help}".strip())
        for name, (option, users) in own.items()
    }

    async def resolve(root: None, info: graphene.ResolveInfo, /, recipe: str, **given: Any) -> StudyRecord:
        settings = {name: given[name] for name in arguments if given.get(name) is not None}
        return await _start(info, recipe, given, settings)

    return graphene.Field(
        graphene.NonNull(Study),
        args=fixed | arguments,
        description="Start a search in the background and return its study at once; `study(name:)` shows the progress.",
        resolver=resolve,
    )


def recipe_settings(recipe: RecipeEntry, names: Names) -> Any:
    """The input type of a recipe's settings; if it has none, JSON that must be `{}`.

    Raises:
        InputError: the type or one of its enumerations has the name of another type.
    """
    title = title_of(recipe)
    fields = {
        option.name: graphene.InputField(**described(option, title, names, prefixed=True))
        for option in reachable(recipe.options, SHARED)
    }
    if not fields:
        return JSON
    return names.input(f"{title}Settings", fields, f"Settings of the recipe {recipe.name}.")


def search(recipes: Mapping[str, RecipeEntry], inputs: Mapping[str, Any]) -> graphene.Field:
    """The mutation that starts a search with any settings of a recipe.

    Args:
        recipes: field -> recipe.
        inputs: field -> the type of the recipe's settings.
    """
    fields = {
        name: graphene.InputField(inputs[name], description=recipe.help or None) for name, recipe in recipes.items()
    }
    text = "The settings of exactly one recipe; `{}` for its defaults."
    allowed = type("RecipeInput", (graphene.InputObjectType,), {"__doc__": text, **fields})
    options = {name: reachable(recipe.options, SHARED) for name, recipe in recipes.items()}

    async def resolve(root: None, info: graphene.ResolveInfo, /, recipe: Any, **given: Any) -> StudyRecord:
        name = the_one(recipe, "recipe", recipes)
        settings = recipe[name]
        if not isinstance(settings, Mapping) or not (options[name] or settings == {}):
            raise InputError(f"The recipe {recipes[name].name} has no settings; allowed: {{}}.")
        return await _start(info, recipes[name].name, given, chosen(options[name], dict(settings)))

    return graphene.Field(
        graphene.NonNull(Study),
        args=_search_arguments(graphene.Argument(allowed, required=True)),
        description="Start a search with any settings of its recipe in the background, and return its study at once.",
        resolver=resolve,
    )


def the_one(given: Mapping[str, Any], argument: str, allowed: Collection[str]) -> str:
    """The name of the only field that has a value.

    Args:
        given: field -> value, or None.
        argument: the name of the argument with the fields, for the message.
        allowed: all fields.

    Raises:
        InputError: no field has a value, or several have one.
    """
    names = [name for name, value in dict(given).items() if value is not None]
    if len(names) != 1:
        raise InputError(
            f"{argument} has the fields {' and '.join(names) or 'none'}; allowed: exactly one of {', '.join(allowed)}."
        )
    return names[0]


def _search_arguments(recipe: graphene.Argument) -> dict[str, graphene.Argument]:
    """The arguments of every search."""
    return {
        "recipe": recipe,
        "budget": graphene.Argument(graphene.Int, required=True, description="Number of evaluations."),
        "seed": graphene.Argument(graphene.Int, required=True, description="Seed of all random choices."),
        "name": graphene.Argument(graphene.String, description="Name of the study; by default an unused one."),
        "objective": graphene.Argument(
            graphene.String, description="One of the recipe's objectives; by default its first."
        ),
        "constraints": graphene.Argument(
            graphene.List(graphene.NonNull(ConstraintInput)), description="Bounds that feasible trials satisfy."
        ),
        "fix": graphene.Argument(
            graphene.List(graphene.NonNull(FixedRole)), description="Architectures that are held fixed in their roles."
        ),
        "time_limit_s": graphene.Argument(
            graphene.Float, description="Seconds after which no more trials are asked for; the study can go on."
        ),
        "until_converged": graphene.Argument(
            graphene.Boolean,
            description="Whether the study ends before its budget if the optimiser expects no further progress.",
        ),
    }


def _named(recipe: RecipeEntry, fixed: Collection[str]) -> list[Option]:
    """The options that a recipe declares as arguments of the search by name."""
    options = {option.name: option for option in reachable(recipe.options)}
    for name in recipe.arguments:
        if name not in options:
            raise InputError(f"it has no option {name} that a client may set; allowed: {', '.join(options) or 'none'}.")
        if name in fixed:
            raise InputError(f"its argument {name} is one that every search has.")
    return [options[name] for name in recipe.arguments]


async def _start(
    info: graphene.ResolveInfo, recipe: str, given: Mapping[str, Any], settings: Mapping[str, Any]
) -> StudyRecord:
    """Plans a study here and runs it in another process."""
    context = context_of(info)
    limit_s = given.get("time_limit_s")
    if limit_s is not None and not 0 < limit_s < math.inf:
        raise InputError(f"timeLimitS is {limit_s:g}; allowed: a positive number of seconds.")
    plan = partial(
        _plan,
        context.store,
        given.get("fix") or (),
        recipe=recipe,
        budget=given["budget"],
        seed=given["seed"],
        name=given.get("name"),
        objective=given.get("objective"),
        constraints=constraint_texts(given.get("constraints")),
        settings=settings,
        until_converged=bool(given.get("until_converged")),
    )
    record = await context.read(context.searches.start, plan, context.store, limit_s)
    return await context.read(context.store.studies.get, record.name)


def _plan(store: Store, fix: Sequence[Mapping[str, Any]], *, recipe: str, **given: Any) -> StudyRecord:
    from explorer.services import studies  # heavy, and not needed to know the schema

    references = {one["role"]: one["architecture"] for one in fix}
    if len(references) < len(fix):
        raise InputError("fix names a role twice; allowed: each role once.")
    fixed = studies.fixed_architectures(
        recipe, references, lambda reference, domain: architecture_of(store, reference, "fix", domain)
    )
    return studies.plan_study(store, recipe=recipe, fixed=fixed, **given)


def _simulate(
    store: Store,
    simulator: str,
    given: Mapping[str, Any],
    settings: Mapping[str, Any],
    note: Callable[[str], None],
) -> MeasurementValue:
    architectures = {
        role: architecture_of(store, given[role], role, who.domain, note)
        for role, who in registry.simulator(simulator).roles.items()
    }
    for remark in registry.simulator(simulator).remarks(architectures):
        note(remark)
    return simulations.simulate(store, simulator, architectures, settings)
