"""``/infer``: a mask of an image, or of several sequences of an examination.

A MONAI Label request contains one image. Here the others are named in its ``params``, which
clients show as the model's options: ``{"t1ce": "name of an image that was sent"}``. A zip archive
or a session of several files is an examination by itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from pydantic import BaseModel, Field, ValidationError

from gliomask.datasets.name_reading import read_name
from gliomask.web.clients.access import Client
from gliomask.web.clients.forms import Files, Part, json_object, receive, reply, suffix_of
from gliomask.web.clients.monai_label.images import Image
from gliomask.web.clients.monai_label.raw_nrrd import raw_nrrd
from gliomask.web.clients.monai_label.series import find_series, is_uid
from gliomask.web.clients.monai_label.server import BY_NAME, OPTIONS
from gliomask.web.clients.segmentation import SEQUENCES, Segmentation, model_named, segment
from gliomask.web.problems import Problem
from gliomask.web.service import Service, ServiceOf
from gliomask.web.task import PredictSpec
from gliomask.web.tokens import Access
from gliomask.web.uploads import Upload, UploadedFile

router = APIRouter()
Output = Literal["image", "json", "all", "dicom_seg"]
Name = Annotated[str, Field(max_length=200)]
_File = tuple[Upload, UploadedFile]


class InferQuery(BaseModel):
    """Query parameters of ``/infer``; those that clients add are ignored."""

    image: Name = ""
    session_id: Name = ""
    output: Output = "all"


@dataclass(frozen=True)
class _Study:
    """Input of a segmentation.

    Attributes:
        files: input files; sequences: sequence of each file, if they are named by hand.
        image: the requested image, if the server keeps it.
        series: sequence -> the DICOM series that was requested, whose grid the mask is to have.
    """

    files: tuple[_File, ...]
    sequences: tuple[str, ...] = ()
    image: Image | None = None
    series: Mapping[str, str] = field(default_factory=dict)


@router.post("/infer/{model}", response_model=None)
async def infer(
    service: ServiceOf,
    client: Client,
    request: Request,
    model: str,
    query: Annotated[InferQuery, Query()],
) -> Response:
    """A mask on the grid of the requested image."""
    model_named(service, model)
    received = await run_sync(service.uploads.create, client)
    try:
        form = await receive(request, service.uploads, received, _SENT)
        params = json_object(form.fields.get("params"))
        sent = [(received, file) for _, file in form.files]
        image, session_id = query.image, query.session_id
        study = None
        if is_uid(image) and not (session_id or sent):
            study = await _study_of_series(service, client, request, image)
        if study is None:
            study = await run_sync(_study, service, client, (image, session_id), sent, params)
        spec = _spec(model, study, params, query.output)
        upload = await run_sync(service.uploads.copy, client, study.files)
    finally:
        await run_sync(service.uploads.delete, received.id)
    segmentation = await segment(service, client, request, upload.id, spec)
    if study.image is not None and study.image.owner == client.owner:
        await run_sync(service.images.note_job, study.image, segmentation.job.id)
    return _response(
        segmentation, query.output, compress=params.get("result_compress") is not False
    )


def _naming(part: Part) -> str:
    if part.name != "file":
        raise Problem(422, "no model here takes scribbles or clicks: only the field file")
    return part.base


_SENT: Final = Files({"file": 1}, _naming)


async def _study_of_series(
    service: Service, client: Access, request: Request, uid: str
) -> _Study | None:
    """The examination with a DICOM series, unless the UID is the name of an image itself."""
    named = await run_sync(service.images.find, client, uid)
    if named is not None and named.suffix != ".zip":
        return None
    match = await find_series(service, client, request, uid)
    if match is None:
        return None
    image, sequence = match
    files = await run_sync(service.images.files, image)
    return _Study(tuple(files), (), image, {sequence: uid})


def _study(
    service: Service,
    client: Access,
    source: tuple[str, str],
    sent: Sequence[_File],
    params: Mapping[str, Any],
) -> _Study:
    """Input of a request: a session, an uploaded file, or an earlier image."""
    name, session = source
    others = {s: str(params[s]) for s in SEQUENCES if params.get(s)}
    image = None
    if session:
        image = service.images.get(client, session, session=True)
        files = service.images.files(image)
    elif sent:
        files = list(sent)
    else:
        image = service.images.get(client, name)
        files = service.images.files(image)
    if len(files) > 1 or files[0][1].name.lower().endswith(".zip"):
        if others:
            raise Problem(422, "an examination of several files takes no other images")
        return _Study(tuple(files), (), image)
    named = image is not None and not image.session
    first = _sequence(params, image.name if image and named else _stem(files[0][1].name))
    if first in others:
        raise Problem(422, f"two images for {first}: the requested one, and that in the options")
    more = [service.images.files(service.images.get(client, o)) for o in others.values()]
    return _Study(
        (*files, *(file for further_files in more for file in further_files)),
        (first, *others),
        image,
    )


def _stem(name: str) -> str:
    return name[: len(name) - len(suffix_of(name))]


def _sequence(params: Mapping[str, Any], name: str) -> str:
    """The sequence of the requested image: chosen, or by its name."""
    chosen = params.get("sequence") or BY_NAME
    sequence = read_name(name).sequence if chosen == BY_NAME else chosen
    if sequence not in SEQUENCES:
        allowed = ", ".join(SEQUENCES)
        what = "the name of the image does not contain its sequence"
        raise Problem(422, f"{what}: choose it as the model's option sequence ({allowed})")
    return str(sequence)


def _spec(model: str, study: _Study, params: Mapping[str, Any], output: Output) -> PredictSpec:
    write = ("nrrd", "dicom-seg") if output == "dicom_seg" else ("nrrd",)
    keys: dict[str, Any] = {"model": model, "write": write}
    keys |= {name: params[name] for name in OPTIONS if name in params}
    if study.sequences:
        keys["sequences"] = {s: number for number, s in enumerate(study.sequences)}
        keys["reference"] = study.sequences[0]
    if study.series:
        keys["series"], (keys["reference"],) = study.series, study.series
    try:
        return PredictSpec.model_validate(keys)
    except ValidationError as problem:
        field = ".".join(map(str, problem.errors()[0]["loc"]))
        raise Problem(422, f"params: value not allowed ({field})") from None


def _response(segmentation: Segmentation, output: Output, *, compress: bool) -> Response:
    path = segmentation.file("_mask.nrrd")
    name = f"{segmentation.job.id}.nrrd"
    if output == "image" and not compress:
        return StreamingResponse(raw_nrrd(path), media_type="application/octet-stream")
    if output == "image":
        return FileResponse(path, filename=name)
    if output == "dicom_seg":
        seg = segmentation.file(".seg.dcm")
        return FileResponse(
            seg, media_type="application/dicom", filename=f"{segmentation.job.id}.dcm"
        )
    description = _metadata(segmentation)
    if output == "json":
        return JSONResponse(description)
    return reply(
        {
            "params": (None, "application/json", json.dumps(description).encode()),
            "image": (name, "application/octet-stream", path.read_bytes()),
        }
    )


def _metadata(segmentation: Segmentation) -> dict[str, Any]:
    """Metadata of the mask. Slicer assigns its labels in order to those in the mask."""
    keys = ("volumes_ml", "volumes_ml_90", "reliability", "notes")
    return {
        "label_names": {label.name: label.value for label in segmentation.labels},
        "job": segmentation.job.id,
        "used": segmentation.case["sequences_used"],
        "missing": segmentation.case["sequences_missing"],
        **{key: segmentation.case[key] for key in keys},
        "notice": "for research use only",
    }
