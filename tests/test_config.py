"""Options: one definition, and a slip is told with the nearest key."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from gliomask.config import Recipe, load_recipe, recipe_names
from gliomask.errors import ConfigError


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
        ("epochs=0", "epochs=0, allowed Input should be greater than or equal to 1"),
        ("regions=[hole]", "regions.0=hole, allowed Input should be 'whole', 'core' or"),
        ("epochs", "'epochs' is not key=value"),
        ("epochs.x=1", "'epochs' has no keys below it"),
        ("epochs=[", "not YAML"),
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
    "text", ["- a\n- b\n", "epochs: [", "\udcff".encode("utf-8", "surrogateescape")]
)
def test_a_file_that_is_no_recipe(tmp_path: Path, text: str | bytes) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=r"mine\.yaml: not"):
        load_recipe(str(path))


def test_a_recipe_can_not_reach_code(tmp_path: Path) -> None:
    path = tmp_path / "evil.yaml"
    path.write_text(f"name: !!python/object/apply:os.mkdir ['{tmp_path}/made']")
    with pytest.raises(ConfigError, match="not YAML"):
        load_recipe(str(path))
    assert not (tmp_path / "made").exists()


def keys_of(model: type[BaseModel], prefix: str = "") -> list[str]:
    found = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found += keys_of(kind, f"{prefix}{name}.")
        else:
            found.append(prefix + name)
    return found


def test_the_documentation_has_every_key() -> None:
    page = Path(__file__).parent.parent / "docs" / "recipes.md"
    listed = [
        line.split("`")[1] for line in page.read_text().splitlines() if line.startswith("| `")
    ]
    assert listed == keys_of(Recipe)
