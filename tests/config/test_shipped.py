"""Names of models and their folders; and the models that do come along."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path, PurePath

import pytest

from gliomask.config import shipped
from gliomask.config.shipped import (
    added_home,
    added_names,
    find_model,
    is_shipped,
    shipped_names,
)
from gliomask.errors import ModelError
from gliomask.nets.arrays import WEIGHTS_FILE, read_arrays
from gliomask.nets.cards import CARD_FILE, read_card
from gliomask.nets.weights import load_model
from tests.shipping import NAME, home, ship

__all__ = ["home"]
CLOSE = NAME.replace("-", "_")


def test_a_name_is_its_folder(home: Path) -> None:
    folder = ship(home)
    assert shipped_names() == (NAME,)
    assert find_model(NAME) == folder
    assert find_model() == folder
    assert load_model(NAME)[1] == read_card(folder / CARD_FILE)


def test_a_path_is_itself(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ship(home)
    monkeypatch.chdir(tmp_path)
    for path in ("./run", "runs/run", str(tmp_path / "run"), Path("run"), "."):
        assert find_model(path) == Path(path)
    assert find_model(Path(NAME)) == Path(NAME)
    (tmp_path / NAME).mkdir()
    assert find_model(NAME) == Path(NAME)
    assert find_model() == home / NAME


@pytest.mark.parametrize(
    ("named", "text"),
    [
        (CLOSE, f"(`model`={CLOSE}, allowed a path or big, {NAME}); did you mean"),
        ("nothing like it", f"(`model`=nothing like it, allowed a path or big, {NAME})"),
        ("", f"(`model`=, allowed a path or big, {NAME})"),
    ],
)
def test_an_unknown_name_tells_those_that_are_known(home: Path, named: str, text: str) -> None:
    ship(home)
    ship(home, "big")
    with pytest.raises(ModelError) as caught:
        find_model(named)
    assert str(caught.value).startswith("no such path, and no included or added model of this name")
    assert text in str(caught.value)
    assert (f"'{NAME}'?" in str(caught.value)) == ("did you mean" in text)


def test_a_package_without_models(home: Path) -> None:
    assert shipped_names() == ()
    with pytest.raises(ModelError) as caught:
        find_model()
    assert str(caught.value) == (
        f"this installation does not include the model {NAME}; use a run folder: `model=RUN`"
    )
    with pytest.raises(ModelError, match=rf"`model`={NAME}, allowed a path\)$"):
        find_model(NAME)


def test_models_of_the_user(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they are looked for; an included model of the same name goes first."""
    monkeypatch.delenv("GLIOMASK_MODELS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    ship(home)
    assert added_home() == tmp_path / "data" / "gliomask" / "models"
    assert added_names() == ()
    for name in ("own", NAME, ".writing-1-own"):
        (tmp_path / "data" / "gliomask" / "models" / name).mkdir(parents=True)
    assert added_names() == ("own",)
    assert find_model("own") == tmp_path / "data" / "gliomask" / "models" / "own"
    assert find_model(NAME) == home / NAME
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", "/nonexistent")
    assert added_home() == Path("/nonexistent/.local/share/gliomask/models")
    assert added_names() == ()
    monkeypatch.setenv("GLIOMASK_MODELS", str(home))
    assert added_home() == home


def test_which_models_come_along(home: Path, tmp_path: Path) -> None:
    folder = ship(home)
    assert is_shipped(folder)
    assert is_shipped(folder / "..") is False
    (tmp_path / "link").symlink_to(folder)
    assert is_shipped(tmp_path / "link")
    assert not is_shipped(tmp_path / "run" / NAME)


def test_resolving_loads_nothing_heavy() -> None:
    code = "import sys, gliomask.config.shipped; print({'torch', 'pydantic'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


OTHERS = Path(__file__).parents[2] / "models"
"""Models that are in the repository, but not in the package."""


@pytest.mark.parametrize(
    "folder",
    [*(shipped.HOME / name for name in shipped_names()), *sorted(OTHERS.glob("u2net*"))],
    ids=lambda folder: folder.name,
)
def test_models_are_complete(folder: Path) -> None:
    """The weights are those of the card, which lists real training patients and a licence."""
    _, card = read_arrays(folder)
    assert card.name == folder.name
    assert not card.synthetic
    assert card.patients
    assert "not known" not in card.licence


@pytest.mark.parametrize("file", [CARD_FILE, WEIGHTS_FILE])
def test_its_files_go_into_the_package(file: str) -> None:
    with (Path(__file__).parents[2] / "pyproject.toml").open("rb") as project:
        patterns = tomllib.load(project)["tool"]["setuptools"]["package-data"]["gliomask"]
    assert any(PurePath("models", NAME, file).match(pattern) for pattern in patterns)
