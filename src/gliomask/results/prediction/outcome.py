"""A segmented examination, with all data for its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

from gliomask.core.case import Case
from gliomask.core.geometry import axis_codes, spacing_mm
from gliomask.core.prediction import Prediction
from gliomask.core.region_maps import RegionMaps
from gliomask.core.regions import region_numbers
from gliomask.core.volume import Volume
from gliomask.formats.case_record import CaseRecord
from gliomask.lesions.description import LesionReport, describe_lesions
from gliomask.provenance.record import software

WHITE = 255
"""Tumour in a mask of pictures."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """An examination and its prediction, with all data for the result files.

    Attributes:
        case: source of the images.
        volume: its sequences on the grid of the mask.
        prediction: with all layers that were requested.
        layers: maps to write: any of ``probability``, ``disagreement``.
        timings_s: step -> seconds.
        result: of all that it depends on.
        key: and of what is to be written.
        origins: sequence -> description of the origin of its image.
    """

    case: Case
    volume: Volume
    prediction: Prediction
    layers: tuple[str, ...]
    timings_s: Mapping[str, float]
    result: str = ""
    key: str = ""
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def written_layers(self) -> dict[str, RegionMaps]:
        """Name -> maps of the regions."""
        maps = {
            "probability": self.prediction.probability_maps,
            "disagreement": self.prediction.disagreement_maps,
        }
        layers = {name: maps[name] for name in self.layers}
        return {name: layer for name, layer in layers.items() if layer is not None}

    @cached_property
    def lesions(self) -> tuple[LesionReport, ...]:
        """Lesions of all regions; none for pictures, which have no size in millimetres."""
        prediction = self.prediction
        return (
            describe_lesions(prediction.mask, prediction.affine, prediction.regions)
            if prediction.has_world
            else ()
        )


def record_of(outcome: Outcome, files: Mapping[str, str]) -> CaseRecord:
    """Record for ``<case>.json``.

    Args:
        outcome: of the case.
        files: path in the folder -> SHA-256; empty if it is unknown.
    """
    case, prediction = outcome.case, outcome.prediction
    world, volumes = prediction.has_world, prediction.volumes_ml
    return CaseRecord(
        case=case.id,
        patient=case.patient,
        patient_known=case.patient_known,
        study_date=case.study_date,
        acquired=case.acquired,
        study_uid=case.study_uid,
        tumour_found=bool(prediction.mask.any()),
        volumes_ml=None if volumes is None else dict(volumes),
        volumes_ml_90=prediction.volumes_ml_90,
        voxels=dict(prediction.voxels),
        intervals=dict(prediction.intervals),
        reliability=prediction.reliability,
        lesions=tuple(asdict(lesion) for lesion in outcome.lesions),
        mask_values=_mask_values(prediction.regions, world),
        shape=outcome.volume.shape,
        spacing_mm=spacing_mm(prediction.affine) if world else None,
        axes=axis_codes(prediction.affine) if world else None,
        sequences_used=prediction.used,
        sequences_missing=prediction.missing,
        images=dict(outcome.origins),
        series=case.series,
        model=prediction.model,
        synthetic_training=prediction.synthetic,
        synthetic_data=case.synthetic,
        notes=(*prediction.notes, *case.notes),
        timings_s={step: round(seconds, 3) for step, seconds in outcome.timings_s.items()},
        files=tuple(sorted({name.split("/")[0] for name in files})),
        checksums={name: files[name] for name in sorted(files) if files[name]},
        result=outcome.result,
        key=outcome.key,
        provenance={**prediction.provenance, "software": software()},
    )


def _mask_values(regions: tuple[str, ...], has_world: bool) -> dict[str, str]:
    """Meaning of the numbers in the mask."""
    if regions == ("whole",):
        return {"1" if has_world else str(WHITE): "tumour"}
    numbers = sorted((number, region) for region, number in region_numbers(regions).items())
    return {str(number): f"{region}, and no region inside it" for number, region in numbers}


def record_path(out: Path, case: Case) -> Path:
    """The path of a case's record in a prediction folder."""
    return out / f"{case.id}.json"
