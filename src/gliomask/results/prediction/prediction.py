"""Prediction for Python: notebook view, plot, and saving of its files."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from gliomask.config.output_kinds import Kind
from gliomask.core import prediction as core
from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.core.regions import REGIONS
from gliomask.core.reliability import unstated
from gliomask.errors import CaseError, option
from gliomask.formats.case_record import existing_record
from gliomask.results.prediction.case_files import write_case_files
from gliomask.results.prediction.case_table import write_case_table
from gliomask.results.prediction.origins import check_same_examination
from gliomask.results.prediction.outcome import Outcome, record_path
from gliomask.results.prediction.summary import table_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Prediction(core.Prediction):
    """Prediction of a model for one examination, with the input images.

    Its notebook view shows slices with the outline of the tumour, and the volumes.

    Attributes:
        outcome: data for its files.
    """

    outcome: Outcome = field(kw_only=True, repr=False)

    def plot(self) -> Figure:
        """Draw slices with the outline of the tumour, as in the command's ``<case>.png``.

        Returns:
            A figure of matplotlib, which is loaded only now.
        """
        from gliomask.report.preview import preview_of
        from gliomask.report.preview_figure import preview_figure

        return preview_figure(preview_of(self.outcome.prediction, self.outcome.volume))

    def save(
        self, folder: str | Path, write: Sequence[Kind] | None = None, *, again: bool = False
    ) -> tuple[Path, ...]:
        """Write the same files of a case as the command ``predict``, and ``cases.csv``.

        Args:
            folder: to write into; other files in it stay.
            write: kinds of files: ``nifti``, ``png``, ``html``, ``dicom-seg``, ``rtstruct``; by
                default the first three, and the DICOM Segmentation of a DICOM examination.
            again: replace the result of other images that has the same name.

        Returns:
            The files of the case.

        Raises:
            CaseError: the folder contains the result of other images of this name, or a file of the
                case that was edited, which is never replaced.
            InputError: DICOM objects of images that are no DICOM; no folder.
            MachineError: the files can't be written.
        """
        out, outcome = Path(folder), self.outcome
        earlier = existing_record(record_path(out, outcome.case))
        if earlier is not None and earlier.result != outcome.result and not again:
            if not outcome.origins:
                what = f"the folder contains another result of {outcome.case.id}"
                hint = f"use another folder, or replace it with {option('again', True)}"
                raise CaseError(what, path=out, hint=hint)
            check_same_examination(outcome.case, earlier, outcome.origins, out)
        record = write_case_files(out, outcome, write, earlier)
        write_case_table(out, *table_of(self.model, self.regions, [record], []))
        return record.paths(out)

    def _repr_html_(self) -> str:
        """HTML with a picture and a table, without scripts."""
        from gliomask.report.preview import draw, preview_of

        picture = draw(preview_of(self.outcome.prediction, self.outcome.volume))
        data = base64.b64encode(picture.png()).decode("ascii")
        header = "".join(f"<th>{name}</th>" for name in ("region", "volume", "90 % interval"))
        rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in self._rows())
        texts = "".join(f"<p>{escape(text)}</p>" for text in self._texts())
        return (
            f'<div><img alt="{escape(self.case)} with the outline of the tumour" '
            f'src="data:image/png;base64,{data}">'
            f"<table><tr>{header}</tr>{rows}</table>{texts}</div>"
        )

    def _rows(self) -> list[tuple[str, str, str]]:
        volumes, measured = self.volumes_ml, self.volumes_ml_90
        rows = []
        for region, voxels in self.voxels.items():
            size = f"{voxels} voxels" if volumes is None else f"{volumes[region]:.1f} ml"
            low, high = measured.get(region, (None, None))
            interval = "" if low is None else f"{low:.1f} to {high:.1f} ml"
            rows.append((REGIONS[region].title, size, interval))
        return rows

    def _texts(self) -> list[str]:
        """Text with the case, the reasons of its flag, and the permitted use."""
        flag = self.reliability
        reasons = () if flag is None else flag.reasons
        level = "" if flag is None else f", reliability {flag.level}"
        summary = f"{self.case}, by {self.model}{level}"
        texts = [f"{reason.level}: {reason.text}" for reason in reasons]
        return [summary, *texts, *unstated(self.notes, reasons), RESEARCH_USE_ONLY]


def prediction_of(outcome: Outcome) -> Prediction:
    """Prediction of an outcome, with the notes on its images."""
    prediction, case = outcome.prediction, outcome.case
    values = {field.name: getattr(prediction, field.name) for field in fields(prediction)}
    return Prediction(**{**values, "notes": (*prediction.notes, *case.notes)}, outcome=outcome)


def _cell(text: str) -> str:
    return f"<td>{escape(text)}</td>"
