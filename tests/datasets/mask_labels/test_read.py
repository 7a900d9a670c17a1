"""Grey mask pictures are read only by an answer that says from which level on is tumour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gliomask.core.case import ImageFile
from gliomask.core.labels import TUMOUR
from gliomask.datasets.mask_labels.numbers import SCHEMES
from gliomask.datasets.mask_labels.option import scheme_of_option
from gliomask.datasets.mask_labels.read import read_by_scheme
from gliomask.errors import FormatError
from gliomask.formats.nifti import write_nifti
from gliomask.formats.pictures import write_picture


def test_shades_need_a_threshold(tmp_path: Path) -> None:
    shades = np.arange(0, 256, 5, dtype=np.uint8).reshape(4, 13)
    write_picture(tmp_path / "m.png", shades)
    file = ImageFile((tmp_path / "m.png",))
    for counted, answer in (
        ((shades >= 128).sum(), "threshold=128"),
        ((shades > 0).sum(), "binary"),
    ):
        scheme = scheme_of_option(answer)
        assert scheme is not None
        labels, _ = read_by_scheme(file, scheme, "labels")
        assert (labels == TUMOUR).sum() == counted
    with pytest.raises(FormatError, match="threshold=128"):
        read_by_scheme(file, SCHEMES["brats2023"], "labels")


@pytest.mark.parametrize(("answer", "refused"), [("binary", True), ("threshold=2", False)])
def test_a_negative_number_is_not_tumour(tmp_path: Path, answer: str, refused: bool) -> None:
    numbers = np.zeros((3, 4, 5), np.int16)
    numbers[0], numbers[1] = -1, 2
    write_nifti(tmp_path / "m.nii.gz", numbers, np.eye(4))
    scheme = scheme_of_option(answer)
    assert scheme is not None
    file = ImageFile((tmp_path / "m.nii.gz",))
    if refused:
        with pytest.raises(FormatError) as caught:
            read_by_scheme(file, scheme, "reference_labels")
        assert str(caught.value) == (
            f"{tmp_path / 'm.nii.gz'}: label -1 is negative (tumour or not); state its meaning: "
            "`... reference_labels=-1=background,1=tumour`"
        )
    else:
        labels, _ = read_by_scheme(file, scheme, "labels")
        assert np.array_equal(labels == TUMOUR, numbers == 2)
