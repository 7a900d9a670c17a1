"""A model as it would come inside the package, in a folder of the test's own."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import torch

from gliomask.config import shipped
from gliomask.nets.u2net import U2Net, build_model
from gliomask.nets.weights import save_model
from tests.fakes import fake_card

NAME = shipped.DEFAULT
LICENCE = "CC BY-NC-SA 4.0 (of the data)"


@cache
def network() -> U2Net:
    """A tiny network with random weights; it is not changed."""
    torch.manual_seed(0)
    return build_model("u2net-tiny", in_channels=2, out_channels=1)


def ship(home: Path, name: str = NAME, **changes: object) -> Path:
    """Write ``network`` with a card; its licence is that of the LGG data set."""
    keys = {"name": name, "licence": LICENCE, "size": 64, **changes}
    save_model(home / name, network(), fake_card(**keys))
    return home / name


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place of the models that come along, and an account that has used none."""
    monkeypatch.setattr(shipped, "HOME", tmp_path / "models")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "models"
