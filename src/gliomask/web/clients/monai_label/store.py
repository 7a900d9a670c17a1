"""Images and masks that MONAI Label clients send and fetch, and sessions."""

from __future__ import annotations

import json
import re
import secrets
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import parse_qs

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse

from gliomask.web.clients.access import Client
from gliomask.web.clients.forms import Naming, Part, receive
from gliomask.web.clients.monai_label.images import FINAL, ORIGINAL, Image, Label
from gliomask.web.clients.segmentation import Segmentation, done
from gliomask.web.problems import Problem, not_found
from gliomask.web.service import Service, ServiceOf
from gliomask.web.tokens import Access

router = APIRouter()
_UNFIT: Final = re.compile(r"[/\\:\x00-\x1f\x7f]")
_TAG: Final = re.compile(r"[\w.-]{1,64}", re.ASCII)
Name = Annotated[str, Query(max_length=200)]
Id = Annotated[str, Query(alias="id", max_length=200)]


@router.get("/datastore/")
def datastore(service: ServiceOf, client: Client, output: str = "stats") -> dict[str, Any]:
    """Images and their masks; without ``output=all`` their numbers."""
    images = service.images.of(client)
    if output == "all":
        return {"objects": {image.name: _object(service, client, image) for image in images}}
    labels = [service.images.labels(client, image) for image in images]
    completed = sum(
        any(label.tag == FINAL for label in labels_of_image) for labels_of_image in labels
    )
    return {"total": len(images), "completed": completed}


@router.put("/datastore/")
@router.put("/datastore/image")
async def put_image(
    service: ServiceOf, client: Client, request: Request, image: Name = ""
) -> dict[str, str]:
    """Take an image; the same name again replaces it."""
    upload = service.uploads.create(client)
    try:
        form = await receive(request, service.uploads, upload, _naming(image))
        if [part.name for part, _ in form.files] != ["file"]:
            raise Problem(422, "one image is needed, in the field file")
        ((part, file),) = form.files
        name = image or file.name.removesuffix(part.suffix)
        await run_sync(service.images.add, client, name, part.suffix, upload.id)
    except BaseException:
        service.uploads.delete(upload.id)
        raise
    service.audit.add(client.owner, "image.create", upload.id)
    return {"image": name}


@router.delete("/datastore/")
@router.delete("/datastore/image")
def delete_image(service: ServiceOf, client: Client, name: Id) -> dict[str, str]:
    """Delete an image, and the masks that were handed in for it."""
    image_found = service.images.get(client, name)
    service.images.remove(image_found)
    service.audit.add(client.owner, "image.delete", image_found.upload)
    return {}


@router.api_route("/datastore/image", methods=["GET", "HEAD"])
def get_image(service: ServiceOf, client: Client, image: Name) -> FileResponse:
    """An image as it was sent."""
    image_found = service.images.get(client, image)
    ((upload, file),) = service.images.files(client, image_found)
    return FileResponse(service.uploads.path(upload, file), filename=file.name)


@router.api_route("/datastore/label", methods=["GET", "HEAD"])
def get_label(service: ServiceOf, client: Client, label: Name, tag: str = FINAL) -> FileResponse:
    """A mask: what the network has drawn last (``original``), or what a person handed in."""
    label_found = service.images.get(client, label)
    if tag == ORIGINAL:
        original = _original(service, client, label_found)
        if original is None:
            raise not_found("label")
        return FileResponse(original.file("_mask.nrrd"), filename=f"{label_found.name}.nrrd")
    mask = service.images.label(client, label_found, tag)
    upload = service.uploads.get(client, label_found.upload)
    path = service.uploads.path(upload, mask.file)
    return FileResponse(path, filename=f"{label_found.name}{mask.suffix}")


@router.put("/datastore/label")
async def put_label(
    service: ServiceOf, client: Client, request: Request, image: Name, tag: str = FINAL
) -> dict[str, str]:
    """Take a mask that a person hands in; it is kept as it was sent."""
    tag = tag or FINAL
    if tag == ORIGINAL or not _TAG.fullmatch(tag):
        raise Problem(422, "tag: letters, digits, dot, dash; not original")
    image_found = await run_sync(service.images.get, client, image)
    upload = service.uploads.get(client, image_found.upload)
    number = service.images.number(image_found, tag)

    def naming(part: Part) -> str:
        if part.name != "label" or part.number:
            raise Problem(422, "one mask is needed, in the field label")
        return f"label-{number}{part.suffix}"

    form = await receive(request, service.uploads, upload, naming, number)
    if not form.files:
        raise Problem(422, "one mask is needed, in the field label")
    info = _json(form.fields.get("params"))
    suffix = form.files[0][0].suffix
    await run_sync(service.images.add_label, image_found, tag, number, suffix, info)
    service.audit.add(client.owner, "label.create", image_found.upload)
    return {"image": image, "label": image, "tag": tag}


@router.delete("/datastore/label")
def delete_label(service: ServiceOf, client: Client, name: Id, tag: str) -> dict[str, str]:
    """Delete a mask that was handed in."""
    image_found = service.images.get(client, name)
    service.images.label(client, image_found, tag)
    service.images.remove_label(image_found, tag)
    service.audit.add(client.owner, "label.delete", image_found.upload)
    return {}


@router.put("/datastore/updatelabelinfo")
async def put_label_info(
    service: ServiceOf, client: Client, request: Request, label: Name, tag: str
) -> dict[str, str]:
    """Replace what is said of a mask: status, level, comment of a review."""
    body = parse_qs((await request.body()).decode("utf-8", "replace"))
    info = _json(body.get("params", ["{}"])[0])
    label_found = await run_sync(service.images.get, client, label)
    known = await run_sync(service.images.label, client, label_found, tag)
    await run_sync(service.images.describe_label, label_found, tag, {**known.info, **info})
    return {}


@router.put("/session/")
async def begin_session(service: ServiceOf, client: Client, request: Request) -> dict[str, Any]:
    """Take the images of one examination, for an hour after their last use."""
    upload = service.uploads.create(client)
    try:
        form = await receive(request, service.uploads, upload, lambda part: part.base)
        if not form.files:
            raise Problem(422, "images are needed, in the field files")
        name = secrets.token_hex(16)
        suffix = form.files[0][0].suffix if len(form.files) == 1 else ""
        await run_sync(lambda: service.images.add(client, name, suffix, upload.id, session=True))
    except BaseException:
        service.uploads.delete(upload.id)
        raise
    service.audit.add(client.owner, "session.create", upload.id)
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


def _original(service: Service, client: Access, image: Image) -> Segmentation | None:
    """Latest mask, as long as results are kept."""
    if image.job is None:
        return None
    job = service.queue.get(client, image.job)
    return done(service, job) if job.state == "done" else None


def _object(service: Service, client: Access, image: Image) -> dict[str, Any]:
    labels: dict[str, Any] = {
        label.tag: {"ext": label.suffix, "info": _info(image, label)}
        for label in service.images.labels(client, image)
    }
    if (original := _original(service, client, image)) is not None:
        labels[ORIGINAL] = {"ext": ".nrrd", "info": _original_info(image, original)}
    name = f"{image.name}{image.suffix}"
    info = {"name": name, "ts": int(image.created), "strategy": {}}
    return {"image": {"ext": image.suffix, "info": info}, "labels": labels}


def _info(image: Image, label: Label) -> dict[str, Any]:
    own = {"name": f"{image.name}{label.suffix}", "ts": int(label.created)}
    return {**label.info, **own}


def _original_info(image: Image, original: Segmentation) -> dict[str, Any]:
    names = {label.name: label.value for label in original.labels}
    return {
        "name": f"{image.name}.nrrd",
        "ts": int(original.job.ended or 0),
        "label_info": [{"name": name, "idx": value} for name, value in names.items()],
        "params": {"label_names": names},
    }


def _json(text: str | None) -> dict[str, Any]:
    try:
        content = json.loads(text or "{}")
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise Problem(422, "params: allowed a JSON object")
    return content
