"""Server information for MONAI Label clients: models, sign-in, missing functions."""

from __future__ import annotations

from typing import Any, Final

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response

from gliomask.config.segment import SegmentOptions
from gliomask.web.clients.access import Client
from gliomask.web.clients.forms import plain_fields
from gliomask.web.clients.monai_label.handed_in import is_completed
from gliomask.web.clients.segmentation import SEQUENCES
from gliomask.web.models import ServedModel
from gliomask.web.problems import Problem, not_found
from gliomask.web.service import ServiceOf

router = APIRouter()
STRATEGY: Final = "first"
BY_NAME: Final = "by name"
OPTIONS: Final = ("uncertainty", "clean_up", "n4")
"""Options of a segmentation that people switch in their clients."""
_NO_TRAINING: Final = "models are trained by gliomask train, not by this server"


@router.get("")
@router.get("/")
def root(_client: Client) -> dict[str, str]:
    """Liveness of the server: the Reviewer requests it, without a slash."""
    return {"name": "gliomask", "notice": "for research use only"}


@router.get("/auth/")
def auth(service: ServiceOf, request: Request) -> dict[str, bool]:
    """Requirement to sign in; none if the token is in the address."""
    return {"enabled": service.options.token and "key" not in request.path_params}


@router.post("/auth/token")
async def sign_in(service: ServiceOf, request: Request) -> dict[str, str]:
    """The password is the token; the name may be any."""
    token = (await plain_fields(request)).get("password", "")
    access = await run_sync(service.tokens.access, token)
    if access is None or not access.allows("monai"):
        raise Problem(401, "the password is a token with the scope monai: gliomask serve token")
    return {"access_token": token, "token_type": "bearer"}


@router.get("/auth/token/valid")
def valid(_client: Client) -> dict[str, str]:
    """Validity of the token in the header."""
    return {"status": "valid"}


@router.get("/info/")
def info(service: ServiceOf, client: Client) -> dict[str, Any]:
    """Information for clients: models with their labels and options."""
    images = service.images.of(client).values()
    completed = [image for image in images if is_completed(service, image)]
    labels = {label.name: None for model in service.models for label in model.labels}
    return {
        "name": "gliomask - for research use only",
        "description": "Brain tumour segmentation in MRI",
        "version": "0.8.5",
        "labels": list(labels),
        "models": {model.name: _model(model) for model in service.models},
        "trainers": {},
        "strategies": {
            STRATEGY: {
                "description": "The oldest image whose mask has not been corrected or accepted"
            }
        },
        "scoring": {},
        "train_stats": {},
        "datastore": {"total": len(images), "completed": len(completed)},
    }


def _model(model: ServedModel) -> dict[str, Any]:
    used = [sequence for sequence in SEQUENCES if sequence in model.sequences]
    switches = {name: SegmentOptions.model_fields[name].default for name in OPTIONS}
    return {
        "type": "segmentation",
        "labels": {label.name: label.value for label in model.labels},
        "dimension": 3,
        "description": model.description,
        "config": {"sequence": [BY_NAME, *used], **dict.fromkeys(used, ""), **switches},
    }


@router.post("/activelearning/{strategy}")
def next_sample(service: ServiceOf, client: Client, strategy: str) -> dict[str, Any]:
    """The oldest image without a submitted mask; nothing if there is none."""
    if strategy != STRATEGY:
        raise Problem(404, f"no such strategy (allowed: {STRATEGY})")
    for name, image in service.images.of(client).items():
        if not is_completed(service, image):
            ((_, file),) = service.images.files(image)
            whole = f"{name}{image.suffix}"
            return {"id": name, "name": whole, "checksum": f"SHA256:{file.sha256}"}
    return {}


@router.get("/train/")
def training(_client: Client) -> None:
    """No training runs here, ever."""
    raise Problem(404, _NO_TRAINING)


@router.post("/train/")
@router.post("/train/{model}")
@router.delete("/train/")
def train(_client: Client, model: str = "") -> None:
    """Nor is one begun or ended."""
    raise Problem(404, _NO_TRAINING)


@router.get("/logs/")
def logs(_client: Client) -> None:
    """The log is for those who run the server."""
    raise Problem(404, "the log of the server is on its own machine")


@router.api_route("/proxy/dicom/{rest:path}", methods=["GET", "POST"])
def proxy(_client: Client, rest: str) -> None:
    """There is no archive behind this server."""
    raise Problem(404, "no archive is connected: send the study as an image")


@router.options("/{rest:path}")
def preflight(rest: str) -> Response:
    """Preflight of browsers, before a page of another site sends anything but a plain form."""
    headers = {
        "access-control-allow-methods": "GET, POST, PUT, DELETE",
        "access-control-allow-headers": "accept, content-type",
        "access-control-max-age": "600",
    }
    return Response(status_code=204, headers=headers)


@router.api_route("/{rest:path}", methods=["GET", "HEAD", "POST", "PUT", "DELETE"])
def absent(_client: Client, rest: str) -> None:
    """Unsupported requests: scribbles, scoring, batches, pathology and others."""
    raise not_found("address")
