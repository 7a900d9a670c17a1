"""Another recipe or other data than the checkpoint's are named."""

from __future__ import annotations

import pytest

from gliomask.config import load_recipe
from gliomask.errors import ConfigError
from gliomask.learning.state import check_identity


def identity(*changes: str, **data: str) -> dict[str, object]:
    recipe = load_recipe("default", changes).model_dump(mode="json")
    return {"recipe": recipe, "data": {"store": "a", "split": "b", "fold": None, **data}}


def test_the_same_is_accepted() -> None:
    check_identity(identity(), identity())


def test_the_key_that_differs_is_named_with_both_values() -> None:
    with pytest.raises(ConfigError, match=r"recipe.optimiser.lr=0.5, allowed 0.001"):
        check_identity(identity(), identity("optimiser.lr=0.5"))
    with pytest.raises(ConfigError, match=r"another data.store and 1 more \(data.store=x"):
        check_identity(identity(), identity(store="x", split="y"))
