"""The files that a mask is drawn on as a DICOM object."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gliomask.core.case import Case
from gliomask.core.volume import Volume
from gliomask.errors import CaseError
from gliomask.formats.dicom.read import read_series
from gliomask.formats.dicom.series import survey_files
from gliomask.results.prediction.dicom import source_files
from tests.formats.dicom.enhanced import Part, enhanced, write
from tests.formats.dicom.made import Plan, pixels, save, series

PLAN = Plan()


def surveyed(folder: Path, number: int) -> tuple[Case, Volume]:
    """The series of this number in a folder, as the FLAIR of a case."""
    image = survey_files(sorted(folder.iterdir())).series[number].image
    array, affine = read_series(image.paths, image.channel)
    volume = Volume(array[None].astype(np.float32), affine, ("flair",))
    return Case("c", "p", {"flair": image}), volume


def test_the_files_of_a_series(tmp_path: Path) -> None:
    save(tmp_path, series(PLAN, pixels(PLAN)))
    assert set(source_files(*surveyed(tmp_path, 0))) == set(tmp_path.iterdir())


def test_nothing_is_drawn_on_one_of_several_volumes_in_a_file(tmp_path: Path) -> None:
    echoes = [Part(PLAN, pixels(PLAN, n), echo=echo) for n, echo in enumerate((14.0, 98.0))]
    write(tmp_path / "a.dcm", enhanced(echoes))
    with pytest.raises(CaseError, match=r"a\.dcm: one of several volumes in one file"):
        source_files(*surveyed(tmp_path, 1))
