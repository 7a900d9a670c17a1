"""Models under names of the user's own: added, used, listed, removed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from gliomask.cli import models
from gliomask.config.shipped import added_names, find_model
from gliomask.errors import ConfigError, MachineError, ModelError
from gliomask.nets.added_models import RESERVED, add_model, remove_model
from gliomask.nets.arrays import WEIGHTS_FILE, read_arrays
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
        *((word, "a subcommand of `gliomask models` has this name") for word in RESERVED),
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


def test_all_subcommands_are_reserved() -> None:
    app = typer.Typer()
    models.add_group(app)
    (group,) = typer.main.get_group(app).commands.values()
    assert {*group.commands, "list"} == {*RESERVED}  # type: ignore[attr-defined]


def test_two_models_of_one_name_at_the_same_time(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one is added while the first is verified."""
    first, second = ship(tmp_path / "runs", "net"), ship(tmp_path / "runs", "other", size=32)

    others = [second]

    def read(folder: Path) -> object:
        if folder.parent == own and others:
            add_model(others.pop(), "mine")
        return read_arrays(folder)

    monkeypatch.setattr("gliomask.nets.added_models.read_arrays", read)
    with pytest.raises(ConfigError, match=r"mine: exists already, and is not replaced"):
        add_model(first, "mine")
    assert [path.name for path in own.iterdir()] == ["mine"]
    assert (own / "mine" / CARD_FILE).read_bytes() == (second / CARD_FILE).read_bytes()


def test_a_damaged_model_is_listed_as_damaged(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also one whose link leads nowhere; a folder in the working directory does not matter."""
    add_model(ship(tmp_path / "runs", "net"), "mine")
    (own / "broken").mkdir()
    (own / "broken" / CARD_FILE).write_text("{")
    (own / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "here" / "mine").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    assert run(monkeypatch, "models", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert [model["name"] for model in shown["models"]] == [NAME, "mine"]
    broken, gone = shown["damaged"]
    assert (broken["name"], broken["remedy"]) == ("broken", "gliomask models remove broken")
    assert broken["reason"].startswith(f"{own / 'broken' / CARD_FILE}: not JSON")
    assert (gone["name"], gone["remedy"]) == ("gone", "gliomask models remove gone")
    monkeypatch.setenv("COLUMNS", "300")
    assert run(monkeypatch, "models") == 0
    text = capsys.readouterr().out
    assert "gliomask models remove broken" in text
    assert f"{NAME} (default)" in text
    for name in ("broken", "gone"):
        assert run(monkeypatch, "models", "remove", name) == 0
    capsys.readouterr()
    assert run(monkeypatch, "models", "--json") == 0
    assert json.loads(capsys.readouterr().out)["damaged"] == []


def test_of_a_link_only_the_link_is_removed(own: Path, tmp_path: Path) -> None:
    source = ship(tmp_path / "runs", "net")
    own.mkdir()
    (own / "mine").symlink_to(source)
    assert remove_model("mine") == own / "mine"
    assert list(own.iterdir()) == []
    assert (source / CARD_FILE).is_file()


def test_an_error_without_a_reason_is_shown_by_its_text(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_model(ship(tmp_path / "runs", "net"), "mine")

    def fail(_: Path) -> None:
        raise OSError("the folder is in use")

    monkeypatch.setattr("gliomask.nets.added_models.shutil.rmtree", fail)
    with pytest.raises(MachineError, match="old: can't be deleted: the folder is in use"):
        remove_model("mine")
