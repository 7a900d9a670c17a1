"""The server: models, limits, state, metrics."""

from __future__ import annotations

import os
import shutil
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from pydantic import Field

from gliomask.config.serve import Limits
from gliomask.web.api.error_responses import error_responses
from gliomask.web.api.views import Request, View
from gliomask.web.models import ModelView
from gliomask.web.problems import Problem
from gliomask.web.service import Admin, Reader, Service, ServiceOf

router = APIRouter(tags=["server"])
_DAY_S = 86_400
_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}}
}


class StatusView(View):
    """State of the server."""

    status: str
    """``ok``."""
    notice: str
    """Permitted use of the results."""


class Session(Request):
    """A token for a session."""

    token: Annotated[str, Field(min_length=1, max_length=200)]
    """The token, as shown when it was created."""


@router.get("/models", responses=error_responses(401))
def models(service: ServiceOf, _access: Reader) -> list[ModelView]:
    """List the models; the first is the default."""
    return [ModelView(**model.model_dump(exclude={"folder"})) for model in service.models]


@router.get("/limits", responses=error_responses(401))
def limits(service: ServiceOf, _access: Reader) -> Limits:
    """Limits of the server."""
    return service.options.limits


@router.get("/health", responses=error_responses())
async def health() -> StatusView:
    """State of the process; it responds while the server runs."""
    return StatusView(status="ok", notice="for research use only")


@router.get("/ready", responses=error_responses(503))
def ready(service: ServiceOf) -> StatusView:
    """Readiness to accept and process jobs."""
    if service.supervisor.problem:
        raise Problem(503, "the workers can't process jobs at the moment: see the log", retry_s=10)
    if not service.folder.has_room(service.options.limits):
        raise Problem(503, "the server's disk is full", retry_s=300)
    return StatusView(status="ok", notice="for research use only")


@router.post("/session", status_code=204, responses=error_responses(401, 422))
def begin(service: ServiceOf, session: Session) -> Response:
    """Store a token in a cookie that scripts can't read, for the page."""
    if service.options.token and service.tokens.access(session.token) is None:
        raise Problem(401, "not a valid token")
    response = Response(status_code=204)
    set_cookie(service, response, session.token)
    return response


@router.delete("/session", status_code=204, responses=error_responses())
def end(service: ServiceOf) -> Response:
    """Delete the cookie."""
    response = Response(status_code=204)
    secure = service.options.encrypted
    response.delete_cookie(
        service.cookie, path="/", secure=secure, httponly=True, samesite="strict"
    )
    return response


@router.get("/metrics", responses={**error_responses(401), **_TEXT}, response_model=None)
def metrics(service: ServiceOf, _access: Admin) -> PlainTextResponse:
    """Metrics in the format of Prometheus; needs the scope admin."""
    text = "".join(_metric(*row) for row in _figures(service))
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


def set_cookie(service: Service, response: Response, token: str) -> None:
    """Add the cookie of a session."""
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
        ("job_seconds_total", "counter", "Total time of jobs since the start.", seconds),
        (
            "ready",
            "gauge",
            "Whether the workers can process jobs.",
            {"": int(not supervisor.problem)},
        ),
        ("disk_free_bytes", "gauge", "Free disk in the data folder.", free),
        ("resident_memory_bytes", "gauge", "Memory of the server process.", {"": _memory()}),
    ]


def _metric(name: str, kind: str, text: str, values: dict[str, Any]) -> str:
    full = f"gliomask_{name}"
    lines = [f"# HELP {full} {text}", f"# TYPE {full} {kind}"]
    lines += [f"{full}{{{label}}} {n}" if label else f"{full} {n}" for label, n in values.items()]
    return "\n".join(lines) + "\n"


def _memory() -> int:
    """Resident memory of this process in bytes; 0 if unknown."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 (as light as it gets)
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
