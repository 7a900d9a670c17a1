"""The application: API, web page, and their guards."""

from __future__ import annotations

import errno
import logging
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp

from gliomask.config import allowed
from gliomask.errors import GliomaskError, MachineError, unexpected
from gliomask.report.package_files import NIIVUE, NIIVUE_SHA256, package_bytes, stored_bytes
from gliomask.web.api import corrections, follow, jobs, server, uploads
from gliomask.web.clients import auto3dseg
from gliomask.web.clients.monai_label import infer, store
from gliomask.web.clients.monai_label import server as monai_server
from gliomask.web.clients.places import PREFIXES
from gliomask.web.guard import Guard, from_elsewhere
from gliomask.web.problems import Problem, body_of
from gliomask.web.service import Service, ServiceOf

API = "/api/v1"
_STATIC = Path(str(files("gliomask.web"))) / "static"
_ROUTERS = (
    uploads.router,
    jobs.router,
    corrections.router,
    follow.router,
    server.router,
)
_OF_CLIENTS = (auto3dseg.router, infer.router, store.router, monai_server.router)
_OF_THE_MACHINE = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EIO,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
)
log = logging.getLogger("gliomask.serve")
_ABOUT = "Brain-tumour segmentation in MRI with U²-Net. For research use only."


def make_app(service: Service) -> ASGIApp:
    """The application of a service."""
    app = FastAPI(
        title="gliomask",
        description=_ABOUT,
        version="1",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,  # they load scripts from other servers
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    for router in _ROUTERS:
        app.include_router(router, prefix=API)
    for prefix in PREFIXES:
        for router in _OF_CLIENTS:
            app.include_router(router, prefix=prefix, include_in_schema=False)
    app.add_api_route("/", page, include_in_schema=False)
    app.add_api_route("/correct", correct, include_in_schema=False)
    app.add_api_route("/static/niivue.js", viewer_script, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(GliomaskError, _failed)
    app.add_exception_handler(MachineError, _unavailable)
    app.add_exception_handler(OSError, _broken)
    return Guard(app, service.options)


def viewer_script(request: Request) -> Response:
    """The viewer's script, sent as it lies in the package: compressed."""
    headers = {"etag": f'"{NIIVUE_SHA256}"', "cache-control": "no-cache", "vary": "accept-encoding"}
    if NIIVUE_SHA256 in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        content, headers["content-encoding"] = stored_bytes(NIIVUE), "gzip"
    else:
        content = package_bytes(NIIVUE)
    return Response(content, headers=headers, media_type="text/javascript")


def page(
    service: ServiceOf,
    request: Request,
    token: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """The web page; a token in its address is moved to a cookie.

    Not the token of a link on another site: users would send their scans to its owner.
    """
    if token is None:
        return FileResponse(_STATIC / "index.html", headers={"cache-control": "no-cache"})
    response = RedirectResponse("/", status_code=303)
    if not from_elsewhere(request.headers) and service.tokens.access(token) is not None:
        server.set_cookie(service, response, token)
    return response


def correct() -> Response:
    """The page for the correction of a mask; it requests its data from the API."""
    return FileResponse(_STATIC / "correct.html", headers={"cache-control": "no-cache"})


async def _refused(request: Request, error: Exception) -> Response:
    """Response for a ``Problem``, or for an error of the framework."""
    if not isinstance(error, HTTPException):
        raise error
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if error.status_code == 405:
        headers["allow"] = ", ".join(_methods(request))
    text = str(error.detail) if isinstance(error, Problem) else error.detail.lower()
    return JSONResponse(body_of(error.status_code, text), error.status_code, headers)


def _methods(request: Request) -> list[str]:
    """All methods of the routes of a path."""
    path = request.url.path.removeprefix(API)
    methods = {
        method
        for router in _ROUTERS
        for route in router.routes
        if isinstance(route, Route) and route.path_regex.match(path)
        for method in route.methods or ()
    }
    return sorted(methods | ({"GET"} if request.url.path == "/" else set()))


async def _invalid(_request: Request, error: Exception) -> Response:
    """Response for invalid values, without repeating them."""
    if not isinstance(error, RequestValidationError):
        raise error
    problem: Any = error.errors()[0]
    place = ".".join(str(part) for part in problem["loc"][1:] if part not in ("predict", "inspect"))
    if problem["type"] == "extra_forbidden":
        text = f"unknown key {place!r}"
    else:
        text = f"value not allowed ({place or 'body'}: allowed {allowed(problem)})"
    return JSONResponse(body_of(422, text[:500]), 422)


async def _broken(request: Request, error: Exception) -> Response:
    """A full disk and similar errors, in any request; other errors of files are bugs."""
    if not isinstance(error, OSError) or error.errno not in _OF_THE_MACHINE:
        raise error
    return await _unavailable(request, error)


async def _unavailable(_request: Request, _error: Exception) -> Response:
    """Response for an error of the machine, mostly a full disk."""
    text = "the server can't store it at the moment"
    return JSONResponse(body_of(503, text), 503, {"retry-after": "60"})


async def _failed(_request: Request, error: Exception) -> Response:
    """Response for any other error, for example a damaged file in the data folder."""
    log.error("a request failed: %s", unexpected(error))
    return JSONResponse(body_of(500, "the server can't do it: see its log"), 500)
