"""Masks that people hand in by MONAI Label's protocol: corrections of what the network has drawn.

A mask for an image that was segmented here becomes a correction of that job, as if it had been
drawn on the page, and is drawn on the mask that the client has got last. The status of a review
becomes the approval. A mask for an image that was never segmented here is kept as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gliomask.formats.editable_case import EditableCase
from gliomask.web.clients.monai_label.images import FINAL, Image, Label
from gliomask.web.corrections import UnchangedProblem
from gliomask.web.problems import Problem
from gliomask.web.queue import Job
from gliomask.web.service import Service
from gliomask.web.stored_corrections import Correction, CurrentMask
from gliomask.web.tokens import Access
from gliomask.web.uploads import Upload, UploadedFile

_APPROVED: Final = "approved"
_GONE: Final = (404, 409)
_SINCE: Final = (
    "another mask was stored since this one was loaded: load the label final again and correct that"
)


@dataclass(frozen=True)
class Segmented:
    """An image that was segmented here.

    Attributes:
        job: its job; case: case of the mask; newest: its newest mask.
    """

    job: Job
    case: EditableCase
    newest: CurrentMask


def segmented(service: Service, image: Image) -> Segmented | None:
    """Return the segmentation of an image; None if there is none, or none that is still kept."""
    if image.job is None:
        return None
    try:
        job = service.queue.get(_owner(image), image.job)
    except Problem:
        return None
    cases = service.corrections.cases(job)
    if len(cases) != 1:
        return None
    return Segmented(job, cases[0], service.corrections.current(job.id, cases[0]))


def final(service: Service, image: Image) -> Label | Segmented | None:
    """The mask of people that counts: handed in here, or newer and drawn elsewhere."""
    label, done = service.images.find_label(image, FINAL), segmented(service, image)
    if done is not None and done.newest.number:
        own = label is not None and label.correction == (done.job.id, done.newest.number)
        return label if own else done
    withdrawn = label is not None and label.correction is not None and done is not None
    return None if withdrawn else label


def is_completed(service: Service, image: Image) -> bool:
    """Return True if a person has corrected or accepted the mask of an image."""
    return final(service, image) is not None


def correct(
    service: Service,
    client: Access,
    image: Image,
    source: tuple[Upload, UploadedFile],
    info: Mapping[str, Any],
) -> tuple[str, int] | None:
    """Makes a mask a correction of the image's job.

    Args:
        source: of the mask; info: the client's metadata, with the names of its labels.

    Returns:
        Job and number of the correction, or of the one that the mask equals; None for the
        network's own mask, and where the image was not segmented here.

    Raises:
        Problem: it can't be used, or is drawn on another mask than the newest.
    """
    names, done = _names(info), segmented(service, image)
    if done is None:
        return None
    job, base = done.job, service.images.base(client, image) or done.case.sha256
    if base != done.newest.sha256:
        raise Problem(409, _SINCE)
    path = service.uploads.path(*source)
    try:
        made = service.corrections.add(client, job, done.case, base, path, names)
    except UnchangedProblem:
        return (job.id, done.newest.number) if done.newest.number else None
    service.audit.add(client.owner, "correction.create", f"{job.id}/{made.number}")
    service.images.note_base(client, image, made.sha256)
    return job.id, made.number


def note_got(service: Service, client: Access, image: Image, label: Label) -> None:
    """Remembers that a client has loaded a mask that was handed in."""
    done = segmented(service, image)
    if label.correction is not None and done is not None and done.job.id == label.correction[0]:
        service.images.note_base(client, image, _correction(service, label.correction).sha256)


def review(service: Service, client: Access, label: Label, info: Mapping[str, Any]) -> None:
    """Approves the correction that a mask became, or takes the approval back.

    Raises:
        Problem: the author can't approve; the correction is withdrawn or gone.
    """
    meta = info.get("segmentationMeta")
    status = meta.get("status") if isinstance(meta, dict) else None
    if label.correction is None or not isinstance(status, str):
        return
    correction = _correction(service, label.correction)
    place = f"{correction.job}/{correction.number}"
    if status == _APPROVED and correction.approver is None:
        service.corrections.approve(client, correction)
        service.audit.add(client.owner, "correction.approve", place)
    elif status != _APPROVED and correction.approver == client.owner:
        service.corrections.unapprove(client, correction)
        service.audit.add(client.owner, "correction.unapprove", place)


def withdraw(service: Service, client: Access, label: Label) -> None:
    """Withdraws the correction that a mask became, if it still counts.

    Raises:
        Problem: it belongs to another user.
    """
    if label.correction is None:
        return
    try:
        correction = _correction(service, label.correction)
        if correction.author == label.author:  # else it only equals another one
            service.corrections.withdraw(client, correction)
            place = f"{correction.job}/{correction.number}"
            service.audit.add(client.owner, "correction.withdraw", place)
    except Problem as problem:
        if problem.status_code not in _GONE:
            raise


def _correction(service: Service, place: tuple[str, int]) -> Correction:
    return service.corrections.get(*place)


def _owner(image: Image) -> Access:
    return Access(image.owner, frozenset())


def _names(info: Mapping[str, Any]) -> dict[int, str]:
    """Number -> name of the labels of a mask, as stated by the client; empty if it states none."""
    entries = info.get("label_info") or []
    try:
        names = {int(entry["idx"]): str(entry["name"]) for entry in entries}
    except (TypeError, KeyError, ValueError):
        raise Problem(422, 'params: label_info: allowed a list of {"name", "idx"}') from None
    if len(names) < len(entries):
        raise Problem(422, "params: label_info: two labels of one number")
    return names
