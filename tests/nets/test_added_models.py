"""Models under names of the user's own: added, used, listed, removed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gliomask.config.shipped import added_names, find_model
from gliomask.errors import ConfigError, MachineError, ModelError
from gliomask.nets.added_models import add_model, remove_model
from gliomask.nets.arrays import WEIGHTS_FILE
from gliomask.nets.cards import CARD_FILE
from tests.commands import run
from tests.shipping import LICENCE, NAME, home, ship

__all__ = ["home"]


@pytest.fixture
def own(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of added models, which does not exist yet; one model is included."""
    ship(home)
    monkeypatch.setenv("GLIOMASK_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


def test_a_model_is_copied_and_has_a_name(own: Path, tmp_path: Path) -> None:
    source = ship(tmp_path / "runs", "net")
    (source / "history.csv").write_text("epoch")
    added = add_model(source)
    assert (added.name, added.folder, added.licence) == ("net", own / "net", LICENCE)
    assert added_names() == ("net",)
    assert find_model("net") == own / "net"
    assert sorted(path.name for path in (own / "net").iterdir()) == [CARD_FILE, WEIGHTS_FILE]
    for file in (CARD_FILE, WEIGHTS_FILE):
        assert (own / "net" / file).read_bytes() == (source / file).read_bytes()
    assert remove_model("net") == own / "net"
    assert list(own.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (NAME, "an included model has this name"),
        ("taken", "added already"),
        ("../out", "invalid name of a model"),
        ("a/b", "invalid name of a model"),
        (".hidden", "invalid name of a model"),
        ("-x", "invalid name of a model"),
        ("", "invalid name of a model"),
        ("two words", "invalid name of a model"),
    ],
)
def test_names_that_are_refused(own: Path, tmp_path: Path, name: str, text: str) -> None:
    source = ship(tmp_path / "runs", "net")
    add_model(source, "taken")
    with pytest.raises(ConfigError, match=text):
        add_model(source, name)
    assert added_names() == ("taken",)


def test_a_damaged_model_is_not_added(own: Path, tmp_path: Path) -> None:
    source = ship(tmp_path / "runs", "net")
    (source / WEIGHTS_FILE).write_bytes(b"\0" * 100)
    with pytest.raises(ModelError, match="checksum differs"):
        add_model(source)
    with pytest.raises(ModelError, match="the model folder does not exist"):
        add_model(tmp_path / "absent")
    assert not own.exists()


def test_only_added_models_are_removed(own: Path, home: Path) -> None:
    for name in (NAME, "absent", "..", ""):
        with pytest.raises(ModelError, match="no model of this name was added"):
            remove_model(name)
    assert (home / NAME / CARD_FILE).is_file()


def test_a_folder_that_can_not_be_written(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GLIOMASK_MODELS", str(tmp_path / "file" / "models"))
    with pytest.raises(MachineError):
        add_model(ship(tmp_path / "runs", "net"))


def test_by_command(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = ship(tmp_path / "runs", "net")
    assert run(monkeypatch, "models", "add", source, "--name", "mine") == 0
    assert "--model mine" in capsys.readouterr().out
    assert run(monkeypatch, "models", "add", source, "--name", "mine") == 2
    assert "`gliomask models remove mine` first" in capsys.readouterr().err
    assert run(monkeypatch, "models", "--json") == 0
    models = json.loads(capsys.readouterr().out)["models"]
    assert [(model["name"], model["included"]) for model in models] == [
        (NAME, True),
        ("mine", False),
    ]
    assert run(monkeypatch, "models", "list") == 0
    assert f"{NAME} (default)" in capsys.readouterr().out
    assert run(monkeypatch, "models", "mine") == 0
    assert run(monkeypatch, "models", "remove", "mine") == 0
    capsys.readouterr()
    assert run(monkeypatch, "models", "mine") == 2
    assert "no included or added model of this name" in capsys.readouterr().err
