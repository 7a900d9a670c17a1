"""Components of a running server, shared by its routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import Depends, Request

from gliomask.config.serve import Scope, ServeOptions
from gliomask.web.audit import Audit
from gliomask.web.clients.monai_label.images import Images
from gliomask.web.corrections import Corrections
from gliomask.web.database import Database
from gliomask.web.folder import DataFolder
from gliomask.web.lasting import LastingRequests
from gliomask.web.models import ServedModel
from gliomask.web.problems import Problem
from gliomask.web.queue import Queue
from gliomask.web.supervisor import Supervisor
from gliomask.web.tokens import WITHOUT_TOKEN, Access, Tokens
from gliomask.web.uploads import Uploads

_BEARER = "bearer "


@dataclass(frozen=True)
class Service:
    """A server without its sockets.

    Attributes:
        options: options of the server.
        models: available models; the first is the default.
    """

    options: ServeOptions
    models: tuple[ServedModel, ...]
    folder: DataFolder
    database: Database
    tokens: Tokens
    uploads: Uploads
    queue: Queue
    images: Images
    audit: Audit
    supervisor: Supervisor
    corrections: Corrections
    lasting: LastingRequests

    @property
    def cookie(self) -> str:
        """Name of the cookie with the token, including the port, because browsers share cookies
        between ports.

        With ``__Host-``, no other server of the same domain can set it.
        """
        prefix = "__Host-" if self.options.encrypted else ""
        return f"{prefix}gliomask-{self.options.port}"

    def access(self, request: Request) -> Access | None:
        """Identity of a client; None without a valid token."""
        if not self.options.token:
            return WITHOUT_TOKEN
        header = request.headers.get("authorization", "")
        if header.lower().startswith(_BEARER):
            return self.tokens.access(header[len(_BEARER) :].strip())
        cookie = request.cookies.get(self.cookie)
        return None if cookie is None else self.tokens.access(cookie)


def make_service(
    options: ServeOptions, models: tuple[ServedModel, ...], database: Database
) -> Service:
    """A service on a data folder, which must be locked."""
    folder = DataFolder(options.data)
    folder.make()
    queue = Queue(database, options.limits)
    uploads = Uploads(database, folder, options.limits)
    audit = Audit(database)
    supervisor = Supervisor(options, models, folder, queue, uploads, audit)
    return Service(
        options=options,
        models=models,
        folder=folder,
        database=database,
        tokens=Tokens(database),
        uploads=uploads,
        queue=queue,
        images=Images(database, uploads, options.limits),
        audit=audit,
        supervisor=supervisor,
        corrections=Corrections(database, folder, options.limits, queue, supervisor),
        lasting=LastingRequests(options.limits.lasting_requests),
    )


def service_of(request: Request) -> Service:
    """Service of a request."""
    service: Service = request.app.state.service
    return service


ServiceOf = Annotated[Service, Depends(service_of)]


def allowed(scope: Scope, request: Request) -> Access:
    """Identity of a client with the required scope.

    Raises:
        Problem: no valid token, or one without the scope.
    """
    access = service_of(request).access(request)
    if access is None:
        text = "a valid token is needed: Authorization: Bearer TOKEN, see gliomask serve token"
        raise Problem(401, text)
    if not access.allows(scope):
        raise Problem(403, f"this token does not allow it: it needs the scope {scope}")
    return access


def _reader(request: Request) -> Access:
    return allowed("read", request)


async def _lasting(request: Request) -> AsyncIterator[None]:
    service = service_of(request)
    access = await run_sync(service.access, request)
    with nullcontext() if access is None else service.lasting.open(access.owner):
        yield


def _submitter(request: Request) -> Access:
    return allowed("submit", request)


def _corrector(request: Request) -> Access:
    access = service_of(request).access(request)
    reviews = access is not None and access.allows("review")
    return access if access is not None and reviews else allowed("submit", request)


def _admin(request: Request) -> Access:
    return allowed("admin", request)


Reader = Annotated[Access, Depends(_reader)]
LASTING = Depends(_lasting)
"""Counts the request until its response has been sent."""
Submitter = Annotated[Access, Depends(_submitter)]
Corrector = Annotated[Access, Depends(_corrector)]
Admin = Annotated[Access, Depends(_admin)]
