"""A model as it would come inside the package, in a folder of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gliomask.config import shipped
from gliomask.nets.u2net import build_model
from gliomask.nets.weights import save_model
from tests.fakes import fake_card

NAME = shipped.DEFAULT
LICENCE = "CC BY-NC-SA 4.0 (of the data)"


def ship(home: Path, name: str = NAME, **changes: object) -> Path:
    """Writes a tiny network with drawn weights; its licence is the LGG set's."""
    keys = {"name": name, "licence": LICENCE, "size": 64, **changes}
    torch.manual_seed(0)
    save_model(
        home / name, build_model("u2net-tiny", in_channels=2, out_channels=1), fake_card(**keys)
    )
    return home / name


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place of the models that come along, and an account that has used none."""
    monkeypatch.setattr(shipped, "HOME", tmp_path / "models")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "models"
