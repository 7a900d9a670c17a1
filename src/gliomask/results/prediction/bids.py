"""Masks as a BIDS derivative: ``derivatives/gliomask`` in a BIDS data set.

    derivatives/gliomask/dataset_description.json
                         sub-01/ses-1/anat/sub-01_ses-1_space-orig_label-tumor_mask.nii.gz, .json
                                           sub-01_ses-1_space-orig_dseg.nii.gz, .json, .tsv

A single region is a binary mask; several are a discrete segmentation with a table of its labels.
The JSON file of a mask contains its checksum, so that a mask that another program wrote or
corrected is never replaced. It is written before the mask and after an older mask was removed:
where there is a mask of ours, its JSON is there, also after a process was killed.

Format: https://bids-specification.readthedocs.io/en/stable/derivatives/imaging.html
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gliomask.core.atomic import write_text
from gliomask.core.case import Case
from gliomask.core.file_digest import file_digest
from gliomask.core.identity import bids_label, bids_session
from gliomask.core.output_folder import check_folder
from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.core.regions import margin_title, region_numbers
from gliomask.datasets.bids import OURS
from gliomask.errors import CaseError, FormatError, InputError, option, same_with
from gliomask.formats.content import read_text
from gliomask.formats.images import is_picture
from gliomask.formats.nifti import write_nifti
from gliomask.results.prediction.origins import folders_of
from gliomask.results.prediction.outcome import Outcome

_VERSION = "1.9.0"
_MASK, _PARTS = "space-orig_label-tumor_mask", "space-orig_dseg"


class BidsDerivative:
    """The derivative of gliomask in a BIDS data set.

    Args:
        root: of the data set, or of any folder that is to contain ``derivatives``.

    Raises:
        InputError: its ``derivatives/gliomask`` contains something that gliomask did not write.
        InputError, MachineError: see ``check_folder``.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.folder = root, root / "derivatives" / OURS
        check_folder(self.folder, f"use another folder: {option('bids')}")
        if self.folder.exists() and not _is_ours(self.folder):
            hint = f"move it away, or use another folder: {option('bids')}"
            raise InputError(
                "this derivative was not written by gliomask", path=self.folder, hint=hint
            )

    def is_done(self, case: Case, result: str) -> bool:
        """True if the mask of a case exists, from the same images, model and options."""
        records = [_read(path) for path in self._jsons(case) if _mask_of(path).is_file()]
        return [keys.get("Result") for keys in records] == [result]

    def check(self, case: Case, origins: Mapping[str, str], *, again: bool) -> None:
        """Refuses what can't be written, or would replace what isn't to be replaced.

        Args:
            case: case to segment.
            origins: of its images.
            again: the result of other images may be replaced.

        Raises:
            CaseError: pictures; a mask that another program wrote or changed, that is of another
                case whose BIDS name is the same, or of other images.
        """
        first = next(iter(case.images.values())).paths[0]
        if is_picture(first):
            what = f"{case.id}: BIDS masks are NIfTI, and pictures have no place in space"
            raise CaseError(what, path=first, hint=f"leave out {option('bids')}")
        for path in self._jsons(case):
            mask = _mask_of(path)
            keys = _read(path)
            if mask.exists() and keys.get("SHA256") != file_digest(mask).hex():
                what = f"{case.id}: not as gliomask wrote it, so it is not replaced"
                raise CaseError(what, path=mask, hint="move it away")
            if keys and keys.get("Case") != case.id:
                what = f"{case.id}: the mask of {keys.get('Case')}, whose BIDS name is the same"
                raise CaseError(
                    what, path=mask, hint=f"name another folder for one of them by {option('bids')}"
                )
            if keys and not again and not set(keys.get("Origins", ())) & set(_origins(origins)):
                what = f"{case.id}: the mask of other images"
                hint = f"use another folder: {option('bids')}, or replace it: "
                hint += same_with(("again", True))
                raise CaseError(what, path=mask, hint=hint)

    def write(self, outcome: Outcome) -> None:
        """Writes the mask of a case that was checked; one of ours of the other kind goes."""
        case, prediction = outcome.case, outcome.prediction
        write_text(self.folder / "dataset_description.json", _json(_description()))
        single = prediction.regions == ("whole",)
        own, other = self._jsons(case) if single else reversed(self._jsons(case))
        mask = _mask_of(own)
        own.parent.mkdir(parents=True, exist_ok=True)
        staged = mask.with_name(f".{mask.name}")
        try:
            write_nifti(staged, prediction.mask, prediction.affine, RESEARCH_USE_ONLY)
            if not single:
                write_text(own.with_suffix(".tsv"), _labels(prediction.regions))
            mask.unlink(missing_ok=True)  # it would not match the JSON that comes next
            write_text(own, _json(self._sidecar(outcome, file_digest(staged).hex())))
            staged.replace(mask)
        finally:
            staged.unlink(missing_ok=True)
        for path in (_mask_of(other), other.with_suffix(".tsv"), other):
            path.unlink(missing_ok=True)

    def mask(self, case: Case) -> Path:
        """The mask of a case that was written."""
        return next(mask for path in self._jsons(case) if (mask := _mask_of(path)).is_file())

    def _jsons(self, case: Case) -> list[Path]:
        """The JSON of the binary mask and that of the segmentation."""
        subject, session = bids_label(case.id), bids_session(case.id)
        names = [name for name in (subject, session) if name]
        folder = self.folder.joinpath(*names, "anat")
        return [folder / f"{'_'.join([*names, end])}.json" for end in (_MASK, _PARTS)]

    def _sources(self, case: Case) -> list[str]:
        """The images as BIDS URIs; of those that lie outside the data set the names alone."""
        root = self.root.absolute()
        paths = [image.paths[0].absolute() for image in case.images.values()]
        inside = [path.relative_to(root) if path.is_relative_to(root) else None for path in paths]
        return [
            path.name if place is None else f"bids:raw:{place.as_posix()}"
            for path, place in zip(paths, inside, strict=True)
        ]

    def _sidecar(self, outcome: Outcome, digest: str) -> dict[str, object]:
        case = outcome.case
        reference = case.images[outcome.volume.sequences[0]].paths[0]
        sources = self._sources(case)
        names = [image.paths[0] for image in case.images.values()]
        return {
            "Type": "Lesion",
            "SpatialReference": sources[names.index(reference)],
            "Sources": sources,
            "Model": outcome.prediction.model,
            "Notice": RESEARCH_USE_ONLY,
            "Case": case.id,
            "Result": outcome.result,
            "Origins": _origins(outcome.origins),
            "SHA256": digest,
        }


def _origins(images: Mapping[str, str]) -> list[str]:
    """Digests of the folders that images lie in: whether two masks are of the same, no more."""
    folders = sorted(folders_of(images.values()))
    return [hashlib.sha256(os.fsencode(folder)).hexdigest()[:16] for folder in folders]


def _labels(regions: tuple[str, ...]) -> str:
    """The table of labels, see ``core.regions.region_numbers``."""
    numbers = sorted((number, region) for region, number in region_numbers(regions).items())
    rows = [f"{number}\t{margin_title(region, regions)}\n" for number, region in numbers]
    return "".join(["index\tname\n", "0\tbackground\n", *rows])


def _description() -> dict[str, object]:
    description = f"Tumour masks by gliomask. {RESEARCH_USE_ONLY}."
    generator = {"Name": OURS, "Version": version("gliomask"), "Description": description}
    return {
        "Name": "Tumour masks",
        "BIDSVersion": _VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [generator],
        "DatasetLinks": {"raw": "../.."},
    }


def _is_ours(folder: Path) -> bool:
    """True for a derivative whose description names gliomask, and for an empty folder."""
    if folder.is_dir() and not any(folder.iterdir()):
        return True
    generators = _read(folder / "dataset_description.json").get("GeneratedBy")
    return isinstance(generators, list) and any(
        isinstance(generator, dict) and generator.get("Name") == OURS for generator in generators
    )


def _mask_of(path: Path) -> Path:
    return path.with_suffix(".nii.gz")


def _json(keys: Mapping[str, object]) -> str:
    return json.dumps(keys, indent=2, ensure_ascii=False) + "\n"


def _read(path: Path) -> dict[str, Any]:
    """The content of a JSON file; nothing where there is none, or it is none of ours."""
    try:
        keys = json.loads(read_text(path)) if path.is_file() else {}
    except (ValueError, FormatError):
        return {}
    return keys if isinstance(keys, dict) else {}
