"""The recipes of the package are valid and say what they are meant to say."""

from __future__ import annotations

import pytest

from gliomask.config import AugmentOptions, load_recipe, recipe_names
from gliomask.errors import ConfigError
from gliomask.nets.specs import SPECS


def test_there_are_four() -> None:
    assert recipe_names() == ["default", "demo", "glioma", "seed"]


@pytest.mark.parametrize("name", ["default", "demo", "glioma", "seed"])
def test_each_is_valid_and_named(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.network in SPECS


def test_the_seed_recipe_flips_and_does_nothing_else() -> None:
    recipe = load_recipe("seed")
    assert recipe.augment == AugmentOptions(flip_horizontal=0.5, flip_vertical=0.5)
    assert (recipe.input.mode, recipe.input.size, recipe.epochs) == ("each", 128, 100)
    assert recipe.sampling.tumour_share is None
    assert recipe.optimiser.schedule == "constant"


def test_a_slip_in_a_key_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'optimiser\.lr'"):
        load_recipe("default", ("optimiser.lrr=0.1",))
    with pytest.raises(ConfigError, match="did you mean 'default'"):
        load_recipe("defualt")
