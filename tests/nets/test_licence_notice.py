"""The licence of a model that comes along: said once on an account, and never a reason to fail."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from gliomask.nets.cards import CARD_FILE, ModelCard, read_card
from gliomask.nets.licence_notice import announce_licence
from tests.fakes import fake_card
from tests.shipping import NAME, home, ship

__all__ = ["home"]
LINE = (
    f"the model {NAME} is included in gliomask; licence: CC BY-NC-SA 4.0 (of the data); "
    "not for commercial use; for research use only"
)


@pytest.fixture
def folder(home: Path) -> Path:
    return ship(home)


@pytest.fixture
def card(folder: Path) -> ModelCard:
    return read_card(folder / CARD_FILE)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "gliomask"]


def test_it_is_said_once(
    folder: Path, card: ModelCard, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        announce_licence(folder, card)
    assert said(caplog) == [LINE]
    assert caplog.records[0].levelno == logging.WARNING  # shown where nobody set up logging
    markers = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert markers == [tmp_path / "state" / "gliomask" / "licences" / f"{NAME}.txt"]


def test_another_licence_is_said_anew(
    folder: Path, card: ModelCard, caplog: pytest.LogCaptureFixture
) -> None:
    announce_licence(folder, card)
    other = card.model_copy(update={"licence": "CC BY 4.0"})
    announce_licence(folder, other)
    assert said(caplog)[1] == (
        f"the model {NAME} is included in gliomask; licence: CC BY 4.0; for research use only"
    )


def test_ones_own_model_is_not_spoken_of(
    home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    announce_licence(tmp_path / "run", fake_card())
    assert said(caplog) == []
    assert not (tmp_path / "state").exists()


def test_it_lies_in_the_home_if_nothing_else_is_said(
    folder: Path, card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    announce_licence(folder, card)
    assert (tmp_path / "me" / ".local" / "state" / "gliomask" / "licences").is_dir()
    assert not (tmp_path / "relative").exists()


def test_where_it_can_not_be_remembered_it_is_said_each_time(
    folder: Path,
    card: ModelCard,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    announce_licence(folder, card)
    announce_licence(folder, card)

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    announce_licence(folder, card)
    assert said(caplog) == [LINE] * 3
