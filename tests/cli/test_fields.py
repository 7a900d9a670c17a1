"""Parameters of the command line are the fields of the options, each described once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer
from pydantic import Field as Limits

from gliomask.cli.command import JSON, Command, Extra
from gliomask.cli.fields import Field, Typed, fields_of
from gliomask.cli.main import COMMANDS
from gliomask.config.base import Options
from gliomask.errors import ConfigError
from tests.commands import run

EVERY = [(command, one) for command in COMMANDS for one in command.fields.values()]


class Paint(Options):
    """A group of options."""

    colour: str = "red"
    """Colour."""
    coats: Annotated[int, Limits(ge=1)] = 1
    """Coats."""


class Things(Options):
    """Options of a command that does not exist."""

    source: Path
    """Source of
    the ``things``."""
    out: Path
    """Folder."""
    size: Annotated[int, Limits(ge=2)] | None = None
    """Size."""
    share: float = 0.5
    """Share."""
    kind: Literal["round", "flat"] = "flat"
    """Kind."""
    fast: bool = False
    """Fast."""
    tidy: bool = True
    """Tidy."""
    turned: bool | None = None
    """Turned."""
    names: tuple[str, ...] = ()
    """Name."""
    days: tuple[int, ...] = ()
    """Days."""
    corner: tuple[float, float] = (0.0, 1.5)
    """Corner."""
    picks: Mapping[str, str] = Limits(default_factory=dict)
    """Pick."""
    files: Mapping[str, Path] = Limits(default_factory=dict)
    """Files."""
    paint: Paint = Paint()
    """Paint."""
    secret: int = 3
    """Not shown."""


TYPED = {
    "source": Typed(metavar="SOURCE", argument=True),
    "out": Typed(default="SOURCE-things"),
    "fast": Typed("--quick"),
    "tidy": Typed(old="--keep-all"),
    "turned": Typed(old="--spun/--no-spun"),
    "names": Typed("--name"),
    "days": Typed(commas=True),
    "picks": Typed(metavar="KEY=PICK"),
    "paint.colour": Typed("--paint"),
    "files": Typed(keys={"left": "Left file.", "right": "Right file."}),
}


def called(*words: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Things, dict[str, Any]]:
    """What a command is run with after these words."""
    seen: list[tuple[Things, dict[str, Any]]] = []
    command = Command(
        name="things",
        help="Do things.",
        options="Things",
        run=lambda options, **extra: seen.append((options, extra)),
        typed=TYPED,
        hidden=("secret",),
        extra={**JSON, "into": Extra("Folder.", metavar="FOLDER")},
        complete=lambda keys: {"out": f"{keys['source']}-things"},
    )
    monkeypatch.setitem(vars(command), "model", Things)
    command.parsed.main(list(words), standalone_mode=False)
    ((options, extra),) = seen
    return options, extra


def test_nothing_but_what_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    options, extra = called("a", monkeypatch=monkeypatch)
    assert options == Things(source=Path("a"), out=Path("a-things"))
    assert extra == {"json": False, "into": None}


def test_every_kind_of_value(monkeypatch: pytest.MonkeyPatch) -> None:
    words = "a --out b --size 3 --share 0.25 --kind round --quick --no-tidy --turned --name x"
    words += " --name y --days 1,2 --corner 2 3 --picks t1=4 --picks t2=a=b --left l.nii --json"
    words += " --paint blue --coats 2"
    options, extra = called(*words.split(), "--into", "c d", monkeypatch=monkeypatch)
    assert options == Things(
        source=Path("a"),
        out=Path("b"),
        size=3,
        share=0.25,
        kind="round",
        fast=True,
        tidy=False,
        turned=True,
        names=("x", "y"),
        days=(1, 2),
        corner=(2, 3),
        picks={"t1": "4", "t2": "a=b"},
        files={"left": Path("l.nii")},
        paint=Paint(colour="blue", coats=2),
    )
    assert extra == {"json": True, "into": "c d"}


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        ("--keep-all", "tidy", False),
        ("--tidy", "tidy", True),
        ("--spun", "turned", True),
        ("--no-spun", "turned", False),
        ("--no-turned", "turned", False),
    ],
)
def test_flags_of_earlier_versions(
    words: str, field: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    options, _ = called("a", words, monkeypatch=monkeypatch)
    assert getattr(options, field) == value


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("--size 1", r"things: value not allowed \(`size`=1, allowed 2 or more\)"),
        ("--size many", r"`size`=many, allowed a whole number"),
        ("--kind oval", r"`kind`=oval, allowed round, flat"),
        ("--days 1,x", r"`days`=x, allowed a whole number"),
        ("--coats 0", r"`paint\.coats`=0, allowed 1 or more"),
        ("--picks t1", r"not understood \(`picks`=t1, allowed KEY=PICK\)"),
        ("--picks t1=1 --picks t1=2", r"t1 is given twice \(`picks`=t1=2\)"),
    ],
)
def test_a_value_that_is_not_allowed(
    words: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=what):
        called("a", *words.split(), monkeypatch=monkeypatch)


@pytest.mark.parametrize("words", ["", "a --secret 4", "a --nothing", "a --left"])
def test_words_that_are_no_options(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Exception, match=r"Missing parameter|No such option|requires an argument"):
        called(*words.split(), monkeypatch=monkeypatch)


def test_what_the_help_says() -> None:
    fields = fields_of(Things, TYPED, ())
    assert fields["source"].help == "Source of the things."
    metavars = {name: one.metavar for name, one in fields.items()}
    assert metavars["size"] == metavars["days"] == "INTEGER"
    assert (metavars["share"], metavars["kind"]) == ("FLOAT", "[round|flat]")
    assert (metavars["out"], metavars["names"]) == ("PATH", "TEXT")
    shown = {name: one.parameters()[0].annotation.__metadata__[0] for name, one in fields.items()}
    assert all(isinstance(one, typer.models.ParameterInfo) for one in shown.values())
    assert shown["share"].help == "Share.  [default: 0.5]"
    assert shown["corner"].help == "Corner.  [default: 0.0 1.5]"
    assert shown["names"].help == "Name. Can be given several times."
    assert shown["out"].help == "Folder.  [default: SOURCE-things]"
    assert shown["size"].help == "Size."


def test_every_command_is_here() -> None:
    assert len(COMMANDS) >= 15
    assert len(EVERY) >= 100


@pytest.mark.parametrize(
    ("command", "one"), EVERY, ids=[f"{command.name}-{one.name}" for command, one in EVERY]
)
def test_each_option_is_described_for_any_front_door(command: Command, one: Field) -> None:
    assert re.fullmatch(r"[A-Z].*[.]", one.help), f"{command.name}: {one.help!r}"
    assert "--" not in one.help
    assert "`" not in one.help


def test_how_a_field_is_typed_names_a_field() -> None:
    for command in COMMANDS:
        known = {*fields_of(command.model, {}, ()), *command.model.model_fields}
        assert {*command.typed, *command.hidden} <= known, command.name


def test_no_two_options_of_a_command_are_typed_alike() -> None:
    for command in COMMANDS:
        flags = [flag for one in command.parsed.params for flag in (*one.opts, *one.secondary_opts)]
        assert len(flags) == len(set(flags)), command.name


def test_help_of_all_commands_loads_no_options(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh = [command for command in COMMANDS if "model" not in vars(command)]
    assert run(monkeypatch, "--help") == 0
    assert [command for command in COMMANDS if "model" not in vars(command)] == fresh
    shown = capsys.readouterr().out
    for command in COMMANDS:
        assert f"  {command.name.partition(' ')[0]} " in shown
    assert "..." not in shown.partition("Commands:")[2]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("predict", "x", "--bids", "--quick"), "(--bids=--quick)"),
        (("predict", "x", "--reference", "--no-align"), "(--reference=--no-align)"),
        (("score", "a", "b", "--out", "o", "--labels", "--json"), "(--labels=--json)"),
    ],
)
def test_an_option_is_not_the_value_of_another(
    words: tuple[str, ...],
    shown: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, *words) == 2
    error = capsys.readouterr().err
    assert f"its value is missing, another option follows {shown}" in error
    assert list(tmp_path.iterdir()) == []
