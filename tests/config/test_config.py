"""Options: one definition, and a slip is told with the nearest key."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import ByteSize, Field

from gliomask.config import Options, Recipe, build, load_recipe, recipe_names
from gliomask.errors import ConfigError


class Every(Options):
    """An option of each kind."""

    whole: Annotated[int, Field(ge=1, le=9)] = 1
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    free: float = 0.0
    on: bool = False
    kind: Literal["a", "b"] = "a"
    where: Path = Path()
    days: tuple[date, ...] = ()
    names: Annotated[tuple[str, ...], Field(min_length=1)] = ("x",)
    files: dict[str, Path] = Field(default_factory=dict)
    memory: ByteSize | None = None
    either: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"
    shares: dict[str, float] = Field(default_factory=dict)
    pair: tuple[int, int] | None = None
    on_or_share: bool | float = False


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("whole", 0, "1 or more"),
        ("whole", 10, "9 or less"),
        ("whole", "x", "a whole number"),
        ("whole", 1.5, "a whole number"),
        ("whole", True, "a number, not true or false"),
        ("share", False, "a number, not true or false"),
        ("either", True, "a number, not true or false"),
        ("shares", {"a": True}, "a number, not true or false"),
        ("pair", (1, True), "a number, not true or false"),
        ("share", 0, "more than 0"),
        ("share", 1, "less than 1"),
        ("share", "much", "a number"),
        ("share", float("nan"), "a number"),
        ("free", float("inf"), "a number"),
        ("on", "perhaps", "true or false"),
        ("kind", "c", "a, b"),
        ("where", 3, "a path"),
        ("days", ("May",), "a date, YYYY-MM-DD"),
        ("names", (), "1 or more"),
        ("names", 4, "a list"),
        ("names", (4,), "text"),
        ("files", 4, "keys with values"),
        ("memory", True, "a number, not true or false"),
        ("memory", "much", "a size, e.g. 1.5GB"),
    ],
)
def test_what_is_allowed_is_said_in_our_words(key: str, value: object, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        build(Every, {key: value}, "x")
    assert refused.value.allowed == words


def test_true_is_allowed_where_the_field_says_so() -> None:
    assert build(Every, {"on": True, "on_or_share": True}, "x").on_or_share is True


def test_the_package_has_these_recipes() -> None:
    assert {"seed", "default", "demo"} <= set(recipe_names())


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_is_valid_and_knows_its_name(name: str) -> None:
    assert load_recipe(name).name == name


def test_the_seed_recipe_is_the_original_s() -> None:
    seed = load_recipe("seed")
    assert (seed.epochs, seed.input.size, seed.input.mode) == (100, 128, "each")
    changed = {name for name, value in seed.augment.model_dump().items() if value}
    drawn = {name for name, value in Recipe().augment.model_dump().items() if value}
    assert changed - drawn == {"flip_horizontal", "flip_vertical"}


def test_changes_reach_nested_keys_and_the_last_wins() -> None:
    changes = ("optimiser.lr=0.5", "epochs=3", "epochs=4", "input.sequences=[t1, flair]")
    recipe = load_recipe("default", changes)
    assert (recipe.optimiser.lr, recipe.epochs) == (0.5, 4)
    assert recipe.input.sequences == ("t1", "flair")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("epocs=3", "unknown key 'epocs'; did you mean 'epochs'?"),
        ("optimiser.rl=3", "unknown key 'optimiser.rl'; did you mean 'optimiser.lr'?"),
        ("epochs=0", "epochs=0, allowed 1 or more"),
        ("regions=[hole]", "regions.0=hole, allowed whole, core, enhancing"),
        ("epochs", "'epochs' is not key=value"),
        ("epochs.x=1", "'epochs' has no keys below it"),
        ("epochs=[", "not YAML"),
        ("epochs=2020-99-99", "not YAML"),
        ("epochs=!!int x", "not YAML"),
        ("epochs=!!timestamp x", "not YAML"),
        ("epochs=!!bool x", "not YAML"),
        ("epochs=!!int ''", "not YAML"),
        ("epochs=!!map [a]", "not YAML"),
        ("epochs=!!set [a]", "not YAML"),
        ("epochs=" + 5000 * "[", "not YAML: too deeply nested"),
        ("regions=[whole, whole]", "allowed names that differ from each other"),
        ("input.sequences=[flair, flair]", "allowed names that differ from each other"),
        ("input.sequences=[]", "input.sequences=, allowed 1 or more"),
        ("epochs=true", "epochs=True, allowed a number, not true or false"),
        ("sampling.patient_weights={brats: yes}", "allowed a number, not true or false"),
        ("sampling.patient_weights={brats: .inf}", "allowed a number"),
        ("optimiser.lr=.inf", "optimiser.lr=inf, allowed a number"),
        ("augment.elastic_px=.nan", "augment.elastic_px=nan, allowed a number"),
        ("loss={dice: 0, bce: 0}", "allowed dice or bce above 0"),
        ("batch_size=99999999", "batch_size=99999999, allowed 4096 or less"),
        ('name="a\\nb"', "name=a b, allowed text like"),
    ],
)
def test_a_slip_is_told_in_one_line(change: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_recipe("default", (change,))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_recipe_names_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match=r"defualt: no such recipe; .*did you mean 'default'"):
        load_recipe("defualt")


@pytest.mark.parametrize(
    "text",
    [
        "- a\n- b\n",
        "epochs: [",
        "\udcff".encode("utf-8", "surrogateescape"),
        "epochs: 1\nepochs: 2\n",
        "input: {size: 32, size: 64}\n",
        "1: 2\n",
        "null: 1\n",
    ],
)
def test_a_file_that_is_no_recipe(tmp_path: Path, text: str | bytes) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=r"mine\.yaml: (not|unknown key)"):
        load_recipe(str(path))


def test_a_recipe_can_not_reach_code(tmp_path: Path) -> None:
    path = tmp_path / "evil.yaml"
    path.write_text(f"name: !!python/object/apply:os.mkdir ['{tmp_path}/made']")
    with pytest.raises(ConfigError, match="not YAML"):
        load_recipe(str(path))
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("text", ["", "# comment\n", "input:\n"])
def test_missing_keys_have_their_defaults(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    changes = () if text != "input:\n" else ("input.size=32",)
    size = 32 if changes else Recipe().input.size
    assert load_recipe(str(path), changes).input.size == size


def test_merge_keys_are_no_repeated_keys(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("augment: {gamma: 0.5, <<: {gamma: 0.2, blur: 0.3}}\n")
    augment = load_recipe(str(path)).augment
    assert (augment.gamma, augment.blur) == (0.5, 0.3)
