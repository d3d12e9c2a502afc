"""Arguments and input types are those of the option models of whatever is registered."""

import enum
import math
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import graphene
import pytest
from graphql import print_schema
from pydantic import BaseModel, Field

from api.schema import mutations
from api.schema.build import build_schema
from api.schema.generated import Names, chosen, field_name, mutation_name, reachable, title_of
from api.schema.mutations import mutation_type, recipe_settings, search, search_by_name, simulation, the_one
from explorer import registry
from explorer.contracts.domain import RecipeEntry, SimulatorEntry
from explorer.contracts.options import Flag, options_of
from explorer.contracts.simulator import Role
from graphdb.errors import InputError


class Load(enum.Enum):
    """What the bridge carries.

    Example:
        >>> Load.TRAIN
    """

    CARS = "cars"
    TRAIN = "train"


class Options(BaseModel):
    span_m: float = Field(description="Length.")
    load: Load = Load.CARS
    material: Literal["steel", "soft-wood"] = Field("steel", description="What it is made of.")
    method: Literal["a", "b"] | None = None
    beams: int = 4
    sway: bool = False
    note: str = ""
    parameters: int = 10**12
    limit: float = math.inf
    damping: float | None = Field(None, description="Share that is lost.")
    joints: list[int] = [1, 2]
    ends: list[Literal["fixed", "free"]] = Field(default_factory=list)
    names: list[str] | None = None
    weights: dict[str, float] = Field(default_factory=dict)
    extra: dict[str, Any] | None = None
    profile: Annotated[dict[str, float] | None, Flag(read=lambda text: {})] = Field(
        None, description="Load at each joint, in a file."
    )
    table: Path | None = None
    tables: list[Path] = []
    seed_of_us: Annotated[int, Flag(internal=True)] = 0


ENTRY = SimulatorEntry("toy-truss", "Load a truss.", "x:Y", Options, swift={"beams": 2})  # for sweeps only
SIMULATION = '''type Mutation {
  """Load a truss. The architectures are stored with the measurement."""
  simulateToyTruss(
    """Domain: bridge (truss, arch)."""
    deck: ArchitectureInput!

    """Length."""
    spanM: Float!
    load: Load! = CARS

    """What it is made of."""
    material: ToyTrussMaterial! = STEEL
    method: ToyTrussMethod
    beams: Int! = 4
    sway: Boolean! = false
    note: String! = ""
    parameters: BigInt! = 1000000000000
    limit: Float

    """Share that is lost."""
    damping: Float
    joints: [Int!]! = [1, 2]
    ends: [ToyTrussEnds!]! = []
    names: [String!]
    weights: JSON
    extra: JSON

    """Load at each joint, in a file. The API takes JSON in place of a file."""
    profile: JSON
  ): Measurement!
}'''
TYPES = [
    '''"""What the bridge carries."""
enum Load {
  CARS
  TRAIN
}''',
    '''"""What it is made of."""
enum ToyTrussMaterial {
  STEEL
  SOFT_WOOD
}''',
    '''"""Values of method."""
enum ToyTrussMethod {
  A
  B
}''',
]


class RecipeOptions(BaseModel):
    objective: Literal["light", "stiff"] = "light"
    constraints: list[str] = Field(default_factory=list)
    weights: dict[str, float] = Field(default_factory=dict)
    batch: int = Field(4, description="Designs at a time.")
    rule: Literal["all", "some"] = Field("all", description="Which designs count.")
    load: Load | None = None
    corpus: list[Path] | None = None


RECIPE = RecipeEntry(
    "strong-bridge", "Search bridges.", "x:Y", RecipeOptions, title="StrongBRIDGE", arguments=("rule",)
)


class Nothing(BaseModel):
    pass


class Query(graphene.ObjectType):
    """Something to ask."""

    one = graphene.Int()


def printed(**fields: graphene.Field) -> str:
    mutation = type("Mutation", (graphene.ObjectType,), fields)
    return print_schema(graphene.Schema(query=Query, mutation=mutation).graphql_schema)


def literal(name: str, *choices: str, title: str = "Truss") -> SimulatorEntry:
    model = type("M", (BaseModel,), {"__annotations__": {name: Literal[choices]}})
    return SimulatorEntry("truss", "Help.", "x:Y", model, title=title)


def enumerated(**values: str) -> SimulatorEntry:
    model = type("M", (BaseModel,), {"__annotations__": {"load": enum.Enum("Load", values)}})
    return SimulatorEntry("other", "Help.", "x:Y", model)


def test_every_kind_of_option_has_its_argument():
    text = printed(simulateToyTruss=simulation(ENTRY, {"deck": Role("bridge", ("truss", "arch"))}, Names()))
    assert SIMULATION in text
    for kind in TYPES:
        assert kind in text


def test_files_of_the_server_and_internal_fields_are_on_no_surface():
    names = [option.name for option in reachable(Options)]
    assert not {"table", "tables", "seed_of_us"} & set(names) and "profile" in names
    assert "corpus" not in [option.name for option in reachable(RecipeOptions)]


def test_what_is_left_at_its_default_is_not_passed_on():
    options = reachable(Options)
    assert chosen(options, {"span_m": 3.0, "load": Load.CARS, "note": "", "joints": [1, 2]}) == {"span_m": 3.0}
    assert chosen(options, {"load": Load.TRAIN, "joints": [3], "damping": None}) == {"load": "train", "joints": [3]}
    assert chosen(options, {"weights": {"mass": 0.0}, "profile": {}}) == {"weights": {"mass": 0.0}, "profile": {}}


@pytest.mark.parametrize("text", ["table.json", "/etc/passwd", "..", "~", "a b", "x" * 101, "é"])
def test_texts_that_could_name_a_file_of_the_server_are_refused(text):
    options = reachable(Options)
    assert chosen(options, {"profile": "steel-7_a"}) == {"profile": "steel-7_a"}
    with pytest.raises(InputError, match=r"profile is .*; allowed: JSON, or a name"):
        chosen(options, {"profile": text})


def test_the_defaults_of_sweeps_are_none_of_the_api():
    assert ENTRY.swift["beams"] != Options.model_fields["beams"].default
    assert chosen(reachable(Options), {"beams": 4}) == {}
    assert chosen(reachable(Options), {"beams": 2}) == {"beams": 2}


def test_an_option_with_the_name_of_a_role_is_refused():
    with pytest.raises(InputError, match="option beams has the name of a role"):
        simulation(ENTRY, {"beams": Role("bridge")}, Names())


def test_enumerations_of_one_name_are_one_type_or_refused():
    names = Names()
    roles = {"deck": Role("bridge")}
    simulation(ENTRY, roles, names)
    simulation(enumerated(CARS="cars", TRAIN="train"), roles, names)
    with pytest.raises(
        InputError, match="The enumeration Load has the values CARS; another of that name has CARS, TRAIN"
    ):
        simulation(enumerated(CARS="cars"), roles, names)
    with pytest.raises(InputError, match="another of that name"):
        simulation(enumerated(CARS="cars", TRAIN="steam train"), roles, names)


def test_names_of_other_types_are_refused():
    with pytest.raises(InputError, match="two types of the name Load"):
        simulation(ENTRY, {"deck": Role("bridge")}, Names({"Load"}))
    names = Names()
    recipe_settings(RECIPE, names)
    with pytest.raises(InputError, match="two types of the name StrongBRIDGESettings"):
        recipe_settings(RECIPE, names)
    with pytest.raises(InputError, match="two types of the name StrongBRIDGESettings"):
        simulation(literal("settings", "a", title="StrongBRIDGE"), {}, names)


def test_choices_whose_names_cannot_be_told_apart_are_refused():
    with pytest.raises(InputError, match="choices of TrussKind are a-b, a_b; some of them have the same name"):
        simulation(literal("kind", "a-b", "a_b"), {}, Names())


def test_choices_that_begin_with_a_digit():
    assert "enum TrussSize {\n  _2D\n  _3D\n}" in printed(
        simulateTruss=simulation(literal("size", "2d", "3d"), {}, Names())
    )


@pytest.mark.parametrize(
    ("title", "name"),
    [("", "simulateToyTruss"), ("ToyTruss", "simulateToyTruss"), ("toy 2 truss", "simulateToy2Truss")],
)
def test_names_of_mutations(title, name):
    entry = SimulatorEntry("toy-truss", "Help.", "x:Y", Nothing, title=title)
    assert mutation_name(entry) == name == f"simulate{title_of(entry)}"


def test_names_of_fields():
    assert field_name("strong-bridge") == "strong_bridge"
    with pytest.raises(InputError, match="cannot use the name"):
        field_name("7 bridges")
    with pytest.raises(InputError, match="cannot use the name ''"):
        field_name("橋")


def test_settings_of_a_recipe_are_an_input_type():
    recipes = {"strong_bridge": RECIPE}
    text = printed(search=search(recipes, {"strong_bridge": recipe_settings(RECIPE, Names())}))
    assert (
        '''"""Settings of the recipe strong-bridge."""
input StrongBRIDGESettings {
  weights: JSON

  """Designs at a time."""
  batch: Int! = 4

  """Which designs count."""
  rule: StrongBRIDGERule! = ALL
  load: StrongBRIDGELoad
}'''
        in text
    )
    assert '"""Search bridges."""\n  strongBridge: StrongBRIDGESettings' in text
    assert "recipe: RecipeInput!" in text


def test_the_search_by_name_takes_the_arguments_of_all_recipes():
    text = printed(searchBoshcode=search_by_name([RECIPE]))
    assert '"""For strong-bridge: Which designs count."""\n    rule: String\n' in text
    other = RecipeEntry("other", "Help.", "x:Y", RecipeOptions, arguments=("rule", "batch"))
    text = printed(searchBoshcode=search_by_name([RECIPE, other]))
    assert '"""For strong-bridge and other: Which designs count."""\n    rule: String\n' in text
    assert '"""For other: Designs at a time."""\n    batch: Int\n' in text


def test_arguments_that_cannot_be_are_left_out_with_a_sentence(caplog):
    class Other(BaseModel):
        rule: int = 0
        budget: int = 1

    entries = [
        RecipeEntry("other", "Help.", "x:Y", Other, arguments=("rule",)),
        RecipeEntry("third", "Help.", "x:Y", Other, arguments=("budget",)),
        RecipeEntry("fourth", "Help.", "x:Y", RecipeOptions, arguments=("corpus",)),
    ]
    text = printed(searchBoshcode=search_by_name([RECIPE, *entries]))
    assert text.count("rule:") == 1 and text.count("    budget:") == 1 and "corpus" not in text
    assert [record.getMessage() for record in caplog.records] == [
        "The API leaves out arguments of the recipe other: its argument rule has another type in the recipe "
        "strong-bridge.",
        "The API leaves out arguments of the recipe third: its argument budget is one that every search has.",
        "The API leaves out arguments of the recipe fourth: it has no option corpus that a client may set; allowed: "
        "objective, constraints, weights, batch, rule, load.",
    ]


@pytest.mark.parametrize(
    ("given", "found"),
    [({}, "none"), ({"truss": None}, "none"), ({"truss": {}, "arch": {}}, "truss and arch")],
)
def test_exactly_one_recipe_is_given(given, found):
    with pytest.raises(InputError, match=f"recipe has the fields {found}; allowed: exactly one of truss, arch"):
        the_one(given, "recipe", ["truss", "arch"])
    assert the_one({"truss": {}, "arch": None}, "recipe", ["truss", "arch"]) == "truss"


class Simulator:
    roles: ClassVar = {"deck": Role("bridge")}


def test_what_cannot_be_offered_is_left_out_and_the_log_says_why(monkeypatch, caplog):
    def simulator(name):
        if name == "gone":
            raise InputError("The simulator gone cannot be loaded from x:Y: No module named 'x'.")
        return Simulator

    entries = {
        "toy-truss": ENTRY,
        "gone": SimulatorEntry("gone", "Help.", "x:Y", Nothing),
        "toy truss": SimulatorEntry("toy truss", "Help.", "x:Y", Nothing),
        "clash": enumerated(CARS="automobiles"),
    }
    recipes = {"strong-bridge": RECIPE, "plain": RecipeEntry("plain", "Help.", "x:Y", Nothing)}
    monkeypatch.setattr(registry, "simulators", lambda *, shown=False: tuple(entries))
    monkeypatch.setattr(registry, "simulator_entry", entries.__getitem__)
    monkeypatch.setattr(registry, "simulator", simulator)
    monkeypatch.setattr(registry, "recipes", lambda: tuple(recipes))
    monkeypatch.setattr(registry, "recipe_entry", recipes.__getitem__)
    schema = graphene.Schema(query=Query, mutation=mutation_type())
    always = {"searchBoshcode", "search", "stopStudy", "deleteStudy"}
    assert set(schema.graphql_schema.mutation_type.fields) == {"simulateToyTruss", *always}
    assert set(schema.graphql_schema.type_map["RecipeInput"].fields) == {"strongBridge", "plain"}
    messages = [record.getMessage() for record in caplog.records if record.name == mutations.logger.name]
    assert [message.split(":")[0] for message in messages] == [
        "The API leaves out the simulator gone",
        "The API leaves out the simulator toy truss",
        "The API leaves out the simulator clash",
    ]


def test_everything_registered_is_in_the_schema():
    schema = build_schema()
    for name in registry.simulators(shown=True):
        entry = registry.simulator_entry(name)
        arguments = schema.mutation_type.fields[mutation_name(entry)].args
        python_names = {argument.out_name for argument in arguments.values()}
        assert python_names == {
            *registry.simulator(name).roles,
            *(option.name for option in reachable(entry.options)),
        }
    fields = schema.type_map["RecipeInput"].fields
    assert {field.out_name for field in fields.values()} == {field_name(name) for name in registry.recipes()}
    for name in registry.recipes():
        entry = registry.recipe_entry(name)
        settings = schema.type_map[f"{title_of(entry)}Settings"].fields
        assert {field.out_name for field in settings.values()} == {
            option.name for option in options_of(entry.options) if option.type is not Path
        } - {"objective", "constraints"}
        assert set(entry.arguments) <= set(schema.mutation_type.fields["searchBoshcode"].args)
