"""``convert``: a data set in any known layout, written as nnU-Net raw, Decathlon or BIDS."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gliomask.config.convert import ConvertOptions as ConvertOptions
from gliomask.config.convert import Target as Target
from gliomask.core.atomic import atomic_folder, write_text
from gliomask.core.case import Case
from gliomask.core.csv_table import csv_text
from gliomask.core.geometry import voxel_ml
from gliomask.core.labels import CAVITY, LabelArray
from gliomask.core.output_folder import check_absent
from gliomask.core.regions import REGIONS
from gliomask.core.split import Split, make_split
from gliomask.core.split_patients import split_patients
from gliomask.core.volume import SEQUENCES, Volume
from gliomask.datasets.find import SYNTHETIC_MARK, find_cases
from gliomask.datasets.load import load_case
from gliomask.datasets.patients import PATIENTS_FILE
from gliomask.datasets.writing.bids import BidsWriter
from gliomask.datasets.writing.decathlon import DecathlonWriter
from gliomask.datasets.writing.labels import WrittenLabels, written_labels
from gliomask.datasets.writing.nnunet import NnunetWriter, write_splits
from gliomask.datasets.writing.pieces import Piece, annotated_voxels, cut, pieces_of
from gliomask.datasets.writing.target import TargetCase, Writer, WriteSummary
from gliomask.errors import (
    CaseError,
    CasesError,
    ConfigError,
    Failure,
    InputError,
    QuestionError,
    option,
)
from gliomask.jobs.control import SILENT, Control
from gliomask.store.manifest import read_split


@dataclass(frozen=True)
class ConvertResult:
    """Result of ``convert``.

    Attributes:
        out: the folder.
        layout: layout of the source.
        training, bare: numbers of cases with and without a mask.
        sequences: the channels, in order.
        labels: number -> name.
        licences: licences of the data.
        skipped: (case, reason) of omitted cases.
    """

    out: Path
    layout: str
    training: int
    bare: int
    sequences: tuple[str, ...]
    labels: Mapping[int, str]
    licences: tuple[str, ...]
    skipped: tuple[Failure, ...]


@dataclass(frozen=True)
class _Written:
    """A case that was written.

    Attributes:
        case: the case.
        masked: whether it has a mask.
        tumour_ml: volume of its tumour.
        cavity: whether its mask contains a resection cavity.
    """

    case: Case
    masked: bool
    tumour_ml: float
    cavity: bool


def convert(options: ConvertOptions, control: Control = SILENT) -> ConvertResult:
    """Write a data set in another layout, atomically.

    Raises:
        ConfigError: the output folder exists already, or the layout has no label for
            unannotated slices.
        LayoutError: the source is in no known layout.
        QuestionError: the numbers in its masks are ambiguous; or unannotated slices can't be marked
            in that layout.
        InputError: its masks have different regions, or contain none in full.
        CasesError: cases can't be used and ``skip_bad`` was not given, or none can.
        StoreError: the split does not fit.
    """
    check_absent(options.out)
    data_set = find_cases(options.source, options.labels)
    split = None if options.split is None else read_split(options.split)
    labels, pieces = _labels_and_pieces(options, data_set.cases)
    sequences = _sequences(options, data_set.cases)
    failures: list[Failure] = [(problem.case, problem.reason) for problem in data_set.problems]
    patients = {piece.case.id: piece.case.patient for piece in pieces}
    with atomic_folder(options.out, replace=False) as folder:
        job = _Job(folder, _writer(options.to, patients), labels, sequences)
        written = job.write_all(pieces, failures, control)
        if failures and not (options.skip_bad and written):
            raise CasesError(
                f"{len(failures)} cases can't be used, {len(written)} can",
                sorted(failures),
                path=options.source,
                hint=f"correct them, omit them by {option('skip_bad', True)}, or take fewer "
                f"{option('sequences')}",
            )
        if not any(record.cavity for record in written):
            labels = labels.without_cavity()
        about = _summary(options, written, labels, sequences)
        job.writer.summary(folder, about)
        _write_patients(folder, job.writer, written)
        if all(record.case.synthetic for record in written):
            write_text(folder / SYNTHETIC_MARK, "Made by a phantom.\n")
        if options.to == "nnunet" and about.training:
            _write_folds(folder, split or _draw(options, written), written)
    return ConvertResult(
        out=options.out,
        layout=data_set.layout,
        training=len(about.training),
        bare=len(about.bare),
        sequences=sequences,
        labels=labels.names,
        licences=about.licences,
        skipped=tuple(sorted(failures)),
    )


@dataclass(frozen=True)
class _Job:
    folder: Path
    writer: Writer
    labels: WrittenLabels
    sequences: tuple[str, ...]

    def write_all(
        self, pieces: Sequence[Piece], failures: list[Failure], control: Control
    ) -> list[_Written]:
        """Write the usable cases; the others become failures."""
        written: list[_Written] = []
        control.start(len(pieces), "writing")
        for piece in pieces:
            with control.part(piece.case.id) as part:
                try:
                    written.append(self._one(piece, part))
                except InputError as problem:
                    failures.append((piece.case.id, str(problem)))
        return written

    def _one(self, piece: Piece, control: Control) -> _Written:
        case = piece.case
        missing = [name for name in self.sequences if name not in case.images]
        if missing and not isinstance(self.writer, BidsWriter):
            raise CaseError(f"lacks {', '.join(missing)}, and every case needs all channels")
        images = {name: case.images[name] for name in self.sequences if name in case.images}
        volume, labels = load_case(replace(case, images=images), control)
        if labels is not None and piece.run is not None:
            volume, labels = cut(volume, labels, piece.run)
        mask = None if labels is None else self._mask(case, labels, volume)
        self.writer.case(self.folder, TargetCase(case.id, case.patient, volume, mask))
        cavity = labels is not None and bool((labels == CAVITY).any())
        return _Written(case, mask is not None, _tumour_ml(volume, labels), cavity)

    def _mask(self, case: Case, labels: LabelArray, volume: Volume) -> LabelArray:
        if not case.sparse or self.labels.ignored is None:
            return self.labels.of(labels)
        return self.labels.of(labels, ~annotated_voxels(labels, volume.affine))


def _labels_and_pieces(
    options: ConvertOptions, cases: Sequence[Case]
) -> tuple[WrittenLabels, Sequence[Piece]]:
    """Labels to write, and the cases or their pieces."""
    labels = written_labels(cases)
    sparse = any(case.sparse for case in cases if case.label is not None)
    how = options.unannotated or ("ignore" if options.to == "nnunet" else None)
    if how == "ignore" and options.to != "nnunet":
        raise ConfigError(
            "this layout has no label for unannotated slices",
            field="unannotated",
            found=how,
            allowed=f"drop, or {option('to', 'nnunet')}",
        )
    if sparse and how is None:
        raise QuestionError(
            "only slices with tumour were annotated: in this layout all others would be background",
            option="unannotated",
            answers=(("drop", "each run of annotated slices becomes a case"),),
            path=options.source,
        )
    if sparse and how == "drop":
        return labels, pieces_of(cases)
    return labels.with_ignored() if sparse else labels, [Piece(case) for case in cases]


def _tumour_ml(volume: Volume, labels: LabelArray | None) -> float:
    if labels is None:
        return 0.0
    return float(np.isin(labels, REGIONS["whole"].labels).sum()) * voxel_ml(volume.affine)


def _writer(to: Target, patients: Mapping[str, str]) -> Writer:
    makers: dict[Target, Callable[[], Writer]] = {
        "nnunet": NnunetWriter,
        "msd": DecathlonWriter,
        "bids": lambda: BidsWriter(patients),
    }
    return makers[to]()


def _sequences(options: ConvertOptions, cases: Sequence[Case]) -> tuple[str, ...]:
    available = {name for case in cases for name in case.images}
    if options.sequences is None:
        return tuple(name for name in SEQUENCES if name in available)
    if lost := [name for name in options.sequences if name not in available]:
        raise ConfigError(
            "no case has this sequence",
            path=options.source,
            field="sequences",
            found=lost[0],
            allowed=", ".join(name for name in SEQUENCES if name in available),
        )
    return options.sequences


def _summary(
    options: ConvertOptions,
    written: Sequence[_Written],
    labels: WrittenLabels,
    sequences: tuple[str, ...],
) -> WriteSummary:
    return WriteSummary(
        name=options.out.name,
        licences=tuple(sorted({record.case.licence for record in written if record.case.licence})),
        sequences=sequences,
        labels=labels.names,
        training=tuple(record.case.id for record in written if record.masked),
        bare=tuple(record.case.id for record in written if not record.masked),
    )


def _write_patients(folder: Path, writer: Writer, written: Sequence[_Written]) -> None:
    """Table ``case,patient``, which ``prepare`` reads."""
    rows = [(writer.name_of(record.case.id), record.case.patient) for record in written]
    write_text(folder / PATIENTS_FILE, csv_text(("case", "patient"), rows))


def _draw(options: ConvertOptions, written: Sequence[_Written]) -> Split:
    """Split as drawn by ``prepare`` for the same patients and seed."""
    sized = [(record.case, record.tumour_ml) for record in written if record.masked]
    return make_split(split_patients(sized), seed=options.seed, folds=options.folds)


def _write_folds(folder: Path, split: Split, written: Sequence[_Written]) -> None:
    patients = {record.case.id: record.case.patient for record in written if record.masked}
    if not split.folds:
        return
    known = {name for _, names in split.folds[0].named() for name in names}
    if odd := sorted(set(patients.values()) - known):
        raise InputError(
            "the split does not contain all patients",
            field="patient",
            found=odd[0],
            path=folder.name,
        )
    write_splits(folder, split, patients)
