"""Images and masks that MONAI Label clients send and fetch, and sessions."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Final

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse

from gliomask.formats.editable_case import ENDING
from gliomask.web.clients.access import Client
from gliomask.web.clients.forms import Files, Form, Naming, Part, json_object, plain_fields, receive
from gliomask.web.clients.monai_label.handed_in import (
    Segmented,
    correct,
    final,
    is_completed,
    note_got,
    review,
    segmented,
    withdraw,
)
from gliomask.web.clients.monai_label.images import FINAL, ORIGINAL, Image, Label
from gliomask.web.clients.segmentation import Segmentation, done
from gliomask.web.database import now
from gliomask.web.labels import MaskLabel, mask_labels
from gliomask.web.problems import Problem, not_found
from gliomask.web.service import Service, ServiceOf
from gliomask.web.tokens import Access
from gliomask.web.uploads import Upload

router = APIRouter()
_UNFIT: Final = re.compile(r"[/\\:\x00-\x1f\x7f]")
_TAG: Final = re.compile(r"[\w.-]{1,64}", re.ASCII)
SESSION_FILES: Final = 100
"""Files in a session; a study of more is sent as a zip archive."""
Name = Annotated[str, Query(max_length=200)]
Id = Annotated[str, Query(alias="id", max_length=200)]


@router.get("/datastore/")
def datastore(service: ServiceOf, client: Client, output: str = "stats") -> dict[str, Any]:
    """Images and their masks; without ``output=all`` their numbers."""
    images = service.images.of(client)
    if output == "all":
        return {"objects": {name: _object(service, image) for name, image in images.items()}}
    completed = sum(is_completed(service, image) for image in images.values())
    return {"total": len(images), "completed": completed}


@router.put("/datastore/")
@router.put("/datastore/image")
async def put_image(
    service: ServiceOf, client: Client, request: Request, image: Name = ""
) -> dict[str, str]:
    """Take an image; the same name again replaces it."""
    upload = await run_sync(service.uploads.create, client)
    try:
        form = await receive(request, service.uploads, upload, Files({"file": 1}, _naming(image)))
        if [part.name for part, _ in form.files] != ["file"]:
            raise Problem(422, "one image is needed, in the field file")
        ((part, file),) = form.files
        name = image or file.name.removesuffix(part.suffix)
        await run_sync(service.images.add, client, name, part.suffix, upload.id)
        kept = await run_sync(service.images.get, client, name)
        await run_sync(service.images.inherit_job, kept)
    except BaseException:
        service.uploads.delete(upload.id)
        raise
    await run_sync(service.audit.add, client.owner, "image.create", upload.id)
    return {"image": name}


@router.delete("/datastore/")
@router.delete("/datastore/image")
def delete_image(service: ServiceOf, client: Client, name: Id) -> dict[str, str]:
    """Delete an image, and the masks that were handed in for it."""
    image_found = service.images.get(client, name)
    if image_found.owner != client.owner:
        raise Problem(403, "only its owner can delete an image")
    service.images.remove(image_found)
    service.audit.add(client.owner, "image.delete", image_found.upload)
    return {}


@router.api_route("/datastore/image", methods=["GET", "HEAD"])
def get_image(service: ServiceOf, client: Client, image: Name) -> FileResponse:
    """An image as it was sent."""
    image_found = service.images.get(client, image)
    ((upload, file),) = service.images.files(image_found)
    return FileResponse(service.uploads.path(upload, file), filename=file.name)


@router.api_route("/datastore/label", methods=["GET", "HEAD"])
def get_label(service: ServiceOf, client: Client, label: Name, tag: str = FINAL) -> FileResponse:
    """A mask: what the network has drawn last (``original``), or what a person handed in.

    ``final`` is the newest mask of a person, drawn in any client.
    """
    image = service.images.get(client, label)
    if tag == ORIGINAL:
        original = _original(service, image)
        if original is None:
            raise not_found("label")
        service.images.note_base(client, image, None)
        return FileResponse(original.file("_mask.nrrd"), filename=f"{image.name}.nrrd")
    mask = final(service, image) if tag == FINAL else service.images.label(image, tag)
    if mask is None:
        raise not_found("label")
    if isinstance(mask, Segmented):
        service.images.note_base(client, image, mask.newest.sha256)
        return FileResponse(mask.newest.path, filename=f"{image.name}{ENDING}")
    note_got(service, client, image, mask)
    path = service.uploads.path(service.images.upload(image), mask.file)
    return FileResponse(path, filename=f"{image.name}{mask.suffix}")


@router.put("/datastore/label")
async def put_label(
    service: ServiceOf, client: Client, request: Request, image: Name, tag: str = FINAL
) -> dict[str, Any]:
    """Take a mask that a person hands in: a correction, if the image was segmented here."""
    tag = tag or FINAL
    if tag == ORIGINAL or not _TAG.fullmatch(tag):
        raise Problem(422, "tag: letters, digits, dot, dash; not original")
    image_found = await run_sync(service.images.get, client, image)
    earlier = await run_sync(service.images.find_label, image_found, tag)
    if earlier is not None and earlier.author != client.owner:
        raise Problem(409, "the label belongs to another user: submit yours under another tag")
    received = await run_sync(service.uploads.create, client)
    try:
        form = await receive(request, service.uploads, received, _LABEL)
        if not form.files:
            raise Problem(422, "one mask is needed, in the field label")
        keep = partial(_keep_label, service, client, image_found, tag, received, form)
        with service.lasting.open(client.owner):
            correction = await run_sync(keep, limiter=service.lasting.threads)
    finally:
        await run_sync(service.uploads.delete, received.id)
    await run_sync(service.audit.add, client.owner, "label.create", image_found.upload)
    return {"image": image, "label": image, "tag": tag, "correction": correction}


@router.delete("/datastore/label")
def delete_label(service: ServiceOf, client: Client, name: Id, tag: str) -> dict[str, str]:
    """Delete a mask that was handed in, and withdraw the correction that it became."""
    image = service.images.get(client, name)
    label = service.images.label(image, tag)
    if label.author != client.owner:
        raise Problem(403, "only its author can delete a label")
    withdraw(service, client, label)
    service.images.remove_label(image, label)
    service.audit.add(client.owner, "label.delete", image.upload)
    return {}


@router.put("/datastore/updatelabelinfo")
async def put_label_info(
    service: ServiceOf, client: Client, request: Request, label: Name, tag: str
) -> dict[str, str]:
    """Replace the metadata of a mask: level, comment and status of a review, which may approve."""
    info = json_object((await plain_fields(request)).get("params"))
    image = await run_sync(service.images.get, client, label)
    known = await run_sync(service.images.label, image, tag)
    await run_sync(review, service, client, known, info)
    await run_sync(service.images.describe_label, image, tag, {**known.info, **info})
    return {}


@router.put("/session/")
async def begin_session(service: ServiceOf, client: Client, request: Request) -> dict[str, Any]:
    """Take the images of one examination, for an hour after their last use."""
    upload = await run_sync(service.uploads.create, client)
    try:
        files = Files({"files": SESSION_FILES}, lambda part: part.base)
        form = await receive(request, service.uploads, upload, files)
        if not form.files:
            raise Problem(422, "images are needed, in the field files")
        name = secrets.token_hex(16)
        suffix = form.files[0][0].suffix if len(form.files) == 1 else ""
        await run_sync(lambda: service.images.add(client, name, suffix, upload.id, session=True))
    except BaseException:
        service.uploads.delete(upload.id)
        raise
    await run_sync(service.audit.add, client.owner, "session.create", upload.id)
    return {"session_id": name, "session_info": show_session(service, client, name)}


@router.get("/session/{session}")
def show_session(service: ServiceOf, client: Client, session: str) -> dict[str, Any]:
    """Existence of a session."""
    image_found = service.images.get(client, session, session=True)
    upload = service.uploads.get(client, image_found.upload)
    expires = datetime.fromtimestamp(upload.expires, UTC).isoformat()
    return {"name": image_found.name, "files": len(upload.files), "expires": expires}


@router.delete("/session/{session}")
def end_session(service: ServiceOf, client: Client, session: str) -> dict[str, Any]:
    """Delete a session and its images."""
    session_info = show_session(service, client, session)
    image_found = service.images.get(client, session, session=True)
    service.images.remove(image_found)
    service.audit.add(client.owner, "session.delete", image_found.upload)
    return session_info


def _naming(image: str) -> Naming:
    """A file is called by the name of its image, if that was given."""
    return lambda part: f"{_UNFIT.sub('_', image)}{part.suffix}" if image else part.base


def _label_name(part: Part) -> str:
    if part.name != "label":
        raise Problem(422, "one mask is needed, in the field label")
    return f"label{part.suffix}"


_LABEL: Final = Files({"label": 1}, _label_name)


def _keep_label(
    service: Service, client: Access, image: Image, tag: str, received: Upload, form: Form
) -> int | None:
    """Keeps a mask; the number of the correction that it became."""
    ((part, file),) = form.files
    info = json_object(form.fields.get("params"))
    source = (received, file)
    correction = correct(service, client, image, source, info)
    label = Label(tag, file, part.suffix, info, now(), client.owner, correction)
    service.images.add_label(image, label, source)
    return None if correction is None else correction[1]


def _original(service: Service, image: Image) -> Segmentation | None:
    """Latest mask of the network, as long as results are kept."""
    known = segmented(service, image)
    return None if known is None else done(service, known.job)


def _object(service: Service, image: Image) -> dict[str, Any]:
    labels: dict[str, Any] = {
        label.tag: {"ext": label.suffix, "info": _info(image, label)}
        for label in service.images.labels(image)
    }
    match final(service, image):
        case Segmented() as corrected:
            labels[FINAL] = {"ext": ENDING, "info": _corrected_info(service, image, corrected)}
        case None:
            labels.pop(FINAL, None)
    if (original := _original(service, image)) is not None:
        info = _numbers(original.labels)
        own = {"name": f"{image.name}.nrrd", "ts": int(original.job.ended or 0)}
        labels[ORIGINAL] = {"ext": ".nrrd", "info": {**own, **info}}
    name = f"{image.name}{image.suffix}"
    about = {"name": name, "ts": int(image.created), "strategy": {}}
    return {"image": {"ext": image.suffix, "info": about}, "labels": labels}


def _info(image: Image, label: Label) -> dict[str, Any]:
    own = {"name": f"{image.name}{label.suffix}", "ts": int(label.created)}
    return {**label.info, **own}


def _corrected_info(service: Service, image: Image, corrected: Segmented) -> dict[str, Any]:
    correction = service.corrections.get(corrected.job.id, corrected.newest.number)
    status = {"status": "" if correction.approver is None else "approved"}
    return {
        "name": f"{image.name}{ENDING}",
        "ts": int(correction.created),
        "client_id": correction.author,
        "segmentationMeta": status,
        **_numbers(mask_labels([region.name for region in corrected.case.regions])),
    }


def _numbers(labels: Sequence[MaskLabel]) -> dict[str, Any]:
    names = {label.name: label.value for label in labels}
    info = [{"name": name, "idx": value} for name, value in names.items()]
    return {"label_info": info, "params": {"label_names": names}}
