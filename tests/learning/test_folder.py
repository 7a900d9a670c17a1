"""A new run never lands among other files, and a resume needs something to go on with."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.config import load_recipe
from gliomask.errors import ConfigError, InputError
from gliomask.learning.folder import check_new, check_resumable, write_recipe


def test_new_is_absent_or_empty_but_for_leftovers(tmp_path: Path) -> None:
    check_new(tmp_path / "absent")
    (tmp_path / ".lock").touch()
    (tmp_path / ".writing-123-last.pt").touch()
    check_new(tmp_path)


def test_anything_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(
        InputError, match=r"not empty: it contains thesis.tex; use another folder: `out`"
    ):
        check_new(tmp_path)
    with pytest.raises(InputError, match="not a folder"):
        check_new(tmp_path / "thesis.tex")


def test_a_run_may_be_gone_on_with(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no training to resume"):
        check_resumable(tmp_path)
    recipe = load_recipe("demo", ("epochs=3",))
    write_recipe(tmp_path, recipe)
    (tmp_path / "checkpoints").mkdir()
    check_resumable(tmp_path)
    assert load_recipe(str(tmp_path / "config.yaml")) == recipe
    with pytest.raises(InputError, match="resume=True`"):
        check_new(tmp_path)
