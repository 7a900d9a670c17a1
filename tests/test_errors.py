"""An error is one line that says where, what, which field, what is allowed and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.errors import FormatError, GliomaskError, InputError, StoppedError, nearest


def test_every_part_has_its_place() -> None:
    error = FormatError(
        "too many voxels", path=Path("a.nii"), field="dim", found=9, allowed="1 to 5", hint="crop"
    )
    assert str(error) == "a.nii: too many voxels (dim=9, allowed 1 to 5); crop"


def test_what_alone_is_enough() -> None:
    assert str(InputError("no mask")) == "no mask"


def test_it_stays_one_line_whatever_it_is_given() -> None:
    error = InputError("bad\nname", path="x\r\ny", field="f", found="\x1b[31m" * 100)
    assert "\n" not in str(error)
    assert "\x1b" not in str(error)
    assert len(str(error)) < 300


@pytest.mark.parametrize(
    ("error", "code"),
    [(GliomaskError("x"), 1), (FormatError("x"), 2), (StoppedError("x", signal_number=15), 143)],
)
def test_exit_codes(error: GliomaskError, code: int) -> None:
    assert error.exit_code == code


def test_nearest_names_a_slip_or_nothing() -> None:
    assert nearest("epocs", ["epochs", "seed"]) == "did you mean 'epochs'?"
    assert nearest("zzz", ["epochs"]) is None


def test_a_value_that_is_not_given_is_left_out() -> None:
    assert str(InputError("missing", field="shape")) == "missing (shape)"
    assert str(InputError("bad", field="shape", found=None)) == "bad (shape=None)"
    assert (
        str(InputError("bad", option="out", allowed="a folder")) == "bad (`out`, allowed a folder)"
    )
