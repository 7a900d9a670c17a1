"""The server itself: what it offers, what it allows, how it is."""

from __future__ import annotations

import os
import shutil
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from pydantic import Field

from gliomask.config.serve import Limits
from gliomask.web.api.answers import answers
from gliomask.web.api.views import Request, View
from gliomask.web.labels import MaskLabel
from gliomask.web.problems import Problem
from gliomask.web.service import Admin, Reader, Service, ServiceOf

router = APIRouter(tags=["server"])
_DAY_S = 86_400
_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}}
}


class ModelView(View):
    """A model that jobs may name."""

    name: str
    """To ask for it by."""
    description: str
    """What it was trained on."""
    network: str
    """Its architecture."""
    sequences: tuple[str, ...]
    """That it uses."""
    needs_all: bool
    """Whether it needs all of them."""
    regions: tuple[str, ...]
    """That it marks."""
    labels: tuple[MaskLabel, ...]
    """The numbers in its masks."""
    licence: str
    """Of its weights."""
    synthetic: bool
    """Whether it was trained on synthetic patients."""


class StatusView(View):
    """State of the server."""

    status: str
    """``ok``."""
    notice: str
    """What its results may be used for."""


class Session(Request):
    """A token to begin a session with."""

    token: Annotated[str, Field(min_length=1, max_length=200)]
    """As it was shown when it was made."""


@router.get("/models", responses=answers(401))
def models(service: ServiceOf, _access: Reader) -> list[ModelView]:
    """The models that are offered; the first is used where none is named."""
    return [ModelView(**model.model_dump(exclude={"folder"})) for model in service.models]


@router.get("/limits", responses=answers(401))
def limits(service: ServiceOf, _access: Reader) -> Limits:
    """Limits of the server."""
    return service.options.limits


@router.get("/health", responses=answers())
async def health() -> StatusView:
    """State of the process; it answers while the server runs."""
    return StatusView(status="ok", notice="for research use only")


@router.get("/ready", responses=answers(503))
def ready(service: ServiceOf) -> StatusView:
    """Readiness to accept and process jobs."""
    if service.supervisor.problem:
        raise Problem(503, "the workers can't process jobs at present: see the log", retry_s=10)
    if not service.folder.has_room(service.options.limits):
        raise Problem(503, "the server's disk is full", retry_s=300)
    return StatusView(status="ok", notice="for research use only")


@router.post("/session", status_code=204, responses=answers(401, 422))
def begin(service: ServiceOf, session: Session) -> Response:
    """Keep a token in a cookie that scripts can't read, for the page."""
    if service.options.token and service.tokens.access(session.token) is None:
        raise Problem(401, "not a valid token")
    response = Response(status_code=204)
    set_cookie(service, response, session.token)
    return response


@router.delete("/session", status_code=204, responses=answers())
def end(service: ServiceOf) -> Response:
    """Forget the cookie."""
    response = Response(status_code=204)
    secure = service.options.encrypted
    response.delete_cookie(
        service.cookie, path="/", secure=secure, httponly=True, samesite="strict"
    )
    return response


@router.get("/metrics", responses={**answers(401), **_TEXT}, response_model=None)
def metrics(service: ServiceOf, _access: Admin) -> PlainTextResponse:
    """Figures in the format of Prometheus; needs the scope admin."""
    text = "".join(_metric(*row) for row in _figures(service))
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


def set_cookie(service: Service, response: Response, token: str) -> None:
    """Adds the cookie of a session."""
    response.set_cookie(
        service.cookie,
        token,
        max_age=30 * _DAY_S,
        path="/",
        secure=service.options.encrypted,
        httponly=True,
        samesite="strict",
    )


def _figures(service: Service) -> list[tuple[str, str, str, dict[str, Any]]]:
    supervisor = service.supervisor
    ended = {f'kind="{k}",state="{s}"': n for (k, s), n in sorted(supervisor.ended.items())}
    seconds = {f'kind="{kind}"': value for kind, value in sorted(supervisor.seconds.items())}
    states = {f'state="{state}"': n for state, n in sorted(service.queue.counts().items())}
    free = {"": shutil.disk_usage(service.folder.root).free}
    return [
        ("jobs", "gauge", "Jobs by state.", states),
        ("jobs_ended_total", "counter", "Jobs that have ended since the start.", ended),
        ("job_seconds_total", "counter", "Time that jobs took since the start.", seconds),
        ("ready", "gauge", "Whether the workers do jobs.", {"": int(not supervisor.problem)}),
        ("disk_free_bytes", "gauge", "Free disk in the data folder.", free),
        ("resident_memory_bytes", "gauge", "Memory of the server process.", {"": _memory()}),
    ]


def _metric(name: str, kind: str, text: str, values: dict[str, Any]) -> str:
    full = f"gliomask_{name}"
    lines = [f"# HELP {full} {text}", f"# TYPE {full} {kind}"]
    lines += [f"{full}{{{label}}} {n}" if label else f"{full} {n}" for label, n in values.items()]
    return "\n".join(lines) + "\n"


def _memory() -> int:
    """Resident bytes of this process; 0 where the system doesn't say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 (as light as it gets)
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
