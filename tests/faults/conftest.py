"""Situations that users reported, each created again and gone through as a user would.

The number in a test's name is that of the situation; ``pytest tests/faults --collect-only`` lists
them, and siblings are tested beside the code that each kind belongs to.

==  =============================================  =============================================
01  predictions numbered as the Decathlon's set     test_reported_labels.py
03  BraTS-PED's own numbers                         test_reported_labels.py
04  the cavity of BraTS 2024                        test_reported_labels.py
06  grey mask pictures                              test_reported_labels.py
07  labels that are no tumour                       test_reported_labels.py
08  words in file names                             test_reported_sequences.py
10  words in DICOM descriptions, and agents         test_reported_sequences.py
11  which series is the brain's FLAIR or T1         test_reported_sequences.py
12  a series cut up by its echo times               test_reported_sequences.py
14  sessions of one patient in a split              test_reported_people.py
15  names that aren't ASCII                         test_reported_people.py
16  one mask each of two patients                   test_reported_people.py
17  two patients' folders of one name               test_reported_people.py
18  two names in one study                          test_reported_people.py
19  a folder that can't be written to               test_reported_machine.py
20  a folder's name that is no UTF-8                test_reported_machine.py
21  a mask with other axes                          test_reported_equivalents.py
23  a slope of NaN; bytes after the voxels          test_reported_equivalents.py
24  a mask rounded by its scaling                   test_reported_equivalents.py
25  a wrong dataset.json                            test_reported_reasons.py
26  formats beside NIfTI, and those that aren't read  test_reported_reasons.py
27  BIDS and deep folders                           test_reported_people.py
28  patients without a tumour in a split            test_reported_reasons.py
29  voxels of two metres                            test_reported_plausibility.py
30  one file name in all folders of cases           test_reported_people.py
==  =============================================  =============================================

Without a number: ``inspect | head -1``, a DICOMDIR (``test_reported_machine.py``); one colour
slice, a gap among grey pictures (``test_reported_reasons.py``); intensities near 1e30
(``test_reported_plausibility.py``).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.commands import run
from tests.fakes import FakeModel
from tests.faults.situations import Command, Said

_UNSPELT = re.compile(r"`(\.\.\. |predict )?[a-z_0-9]+=[^`]*`")
"""An option that stands in a message as it is called in Python."""


@pytest.fixture
def gliomask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command line, with a model of FLAIR that marks what is bright."""
    model = FakeModel(size=64, in_channels=1, sequences=("flair",))
    for place in ("segmentation.segmenter", "evaluation.assignment"):
        monkeypatch.setattr(f"gliomask.{place}.load_predictor", model)
    monkeypatch.setenv("COLUMNS", "300")

    def command(*words: str | Path) -> Said:
        capsys.readouterr()
        code = run(monkeypatch, *words)
        shown = capsys.readouterr()
        assert not _UNSPELT.search(shown.err if "--json" in words else shown.out + shown.err)
        return Said(code, shown.out, shown.err)

    return command
