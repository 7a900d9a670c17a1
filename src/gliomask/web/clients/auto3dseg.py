"""Protocol of MONAIAuto3DSeg's remote server, for the 3D Slicer extension of that name.

A client sends every input that a "model" lists, so there is a model for each set of sequences.
Source of the protocol: ``MONAIAuto3DSeg.py`` of SlicerMONAIAuto3DSeg, its remote logic.
"""

from __future__ import annotations

import csv
import io
from html import escape
from importlib.metadata import version
from itertools import combinations
from typing import Annotated, Any, Final

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse

from gliomask.core.regions import BRAIN, MORPHOLOGICALLY_ABNORMAL, REGIONS, Code
from gliomask.core.sequence_titles import SEQUENCE_TITLES
from gliomask.web.clients.access import Client
from gliomask.web.clients.forms import Files, Form, Part, receive
from gliomask.web.clients.segmentation import model_named, segment
from gliomask.web.models import ServedModel
from gliomask.web.problems import Problem
from gliomask.web.service import Service, ServiceOf
from gliomask.web.task import PredictSpec

router = APIRouter()
_PATTERNS: Final = {"flair": "*t2f*", "t1ce": "*t1c*", "t1": "*t1n*", "t2": "*t2w*"}
"""Sequence -> name of its volumes in BraTS; in the order of the client's own BraTS models."""
_FIELDS: Final = ("image_file", "image_file_2", "image_file_3", "image_file_4")
_VERSION: Final = "1.0.0"
_CODES: Final = (
    "SegmentedPropertyCategoryCodeSequence",
    "SegmentedPropertyTypeCodeSequence",
    "SegmentedPropertyTypeModifierCodeSequence",
    "AnatomicRegionSequence",
    "AnatomicRegionModifierSequence",
)
_PARTS_OF_CODE: Final = ("CodingSchemeDesignator", "CodeValue", "CodeMeaning")
ModelId = Annotated[str, Query(max_length=200)]


@router.get("/models")
def models(service: ServiceOf, _client: Client) -> list[dict[str, Any]]:
    """List a model for each set of sequences of our models."""
    return [_entry(model, used) for model in service.models for used in _sets(model)]


@router.get("/modelinfo")
def model_info(
    service: ServiceOf, _client: Client, model: Annotated[str, Query(alias="id", max_length=200)]
) -> dict[str, Any]:
    """One of these models."""
    return _entry(*_meant(service, model))


@router.get("/monaiinfo")
def monai_info(_client: Client) -> str:
    """Name and version of the server, as JSON for the client."""
    return f"gliomask {version('gliomask')}; for research use only"


@router.get("/labelDescriptions")
def label_descriptions(
    service: ServiceOf, _client: Client, model: Annotated[str, Query(alias="id", max_length=200)]
) -> Response:
    """Labels of the masks, as CSV with codes of DICOM's terminology."""
    descriptions, _ = _meant(service, model)
    text = io.StringIO()
    rows = csv.writer(text)
    columns = [f"{sequence}.{part}" for sequence in _CODES for part in _PARTS_OF_CODE]
    rows.writerow(("LabelValue", "Name", *columns))
    for label in descriptions.labels:
        codes = (MORPHOLOGICALLY_ABNORMAL, REGIONS[label.region].code, None, BRAIN, None)
        rows.writerow((label.value, label.name, *(p for code in codes for p in _parts(code))))
    return Response(text.getvalue(), media_type="text/csv")


@router.post("/infer")
async def infer(
    service: ServiceOf, client: Client, request: Request, model_name: ModelId
) -> FileResponse:
    """Segment volumes in the order of the model's inputs; returns a mask as NRRD."""
    model, used = _meant(service, model_name)
    upload = await run_sync(service.uploads.create, client)
    try:
        form = await receive(request, service.uploads, upload, _files(used))
        spec = _spec(model, used, form)
    except BaseException:
        service.uploads.delete(upload.id)
        raise
    segmentation = await segment(service, client, request, upload.id, spec)
    return FileResponse(segmentation.file("_mask.nrrd"), filename=f"{segmentation.job.id}.nrrd")


def _spec(model: ServedModel, used: tuple[str, ...], form: Form) -> PredictSpec:
    numbers = {part.name: file.number for part, file in form.files}
    if numbers.keys() != set(_FIELDS[: len(used)]):
        titles = ", ".join(SEQUENCE_TITLES[sequence] for sequence in used)
        raise Problem(422, f"this model needs {len(used)} volumes: {titles}")
    sequences = {s: numbers[field] for s, field in zip(used, _FIELDS, strict=False)}
    keys = {"model": model.name, "sequences": sequences, "write": ("nrrd",)}
    return PredictSpec.model_validate(keys)


def _files(used: tuple[str, ...]) -> Files:
    """Names of the files by their sequences, because the clients' names are not informative."""

    def naming(part: Part) -> str:
        if part.name not in _FIELDS[: len(used)]:
            raise Problem(422, f"this model takes {', '.join(_FIELDS[: len(used)])}")
        return f"{used[_FIELDS.index(part.name)]}{part.suffix or '.nrrd'}"

    return Files(dict.fromkeys(_FIELDS[: len(used)], 1), naming)


def _sets(model: ServedModel) -> list[tuple[str, ...]]:
    """Possible sets of input sequences of a model, largest first."""
    usable = tuple(name for name in _PATTERNS if name in model.sequences)
    least = len(usable) if model.needs_all else 1
    sizes = range(len(usable), least - 1, -1)
    return [used for size in sizes for used in combinations(usable, size)]


def _id(model: ServedModel, used: tuple[str, ...]) -> str:
    return f"{model.name}.{'-'.join(used)}"


def _meant(service: Service, label: str) -> tuple[ServedModel, tuple[str, ...]]:
    """Model and sequences of an id."""
    model = model_named(service, label.rpartition(".")[0])
    for used in _sets(model):
        if _id(model, used) == label:
            return model, used
    raise Problem(404, "no such set of sequences: see /models")


def _entry(model: ServedModel, used: tuple[str, ...]) -> dict[str, Any]:
    title = f"{model.name}: {', '.join(SEQUENCE_TITLES[sequence] for sequence in used)}"
    names = [label.name for label in model.labels]
    return {
        "id": _id(model, used),
        "title": title,
        "version": _VERSION,
        "inputs": [{"title": SEQUENCE_TITLES[s], "namePattern": _PATTERNS[s]} for s in used],
        "imagingModality": "MR",
        "description": f"Brain tumour segmentation by gliomask. Trained on {model.description}",
        "details": f"<p>{escape(title)}<p>{escape(model.description)}<p>For research use only.",
        "segmentNames": names,
        "sampleData": [],
        "deprecated": False,
    }


def _parts(code: Code | None) -> tuple[str, str, str]:
    return ("", "", "") if code is None else (code.scheme, code.value, code.meaning)
