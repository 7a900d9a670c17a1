"""Checks of every request before its handling, and headers of every response.

Only known host names are accepted (against DNS rebinding), only requests from our own pages
(against request forgery), bodies have limits for size and time, and internal errors are reported
without their text, which may contain image data or names.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gliomask.config.serve import ServeOptions
from gliomask.errors import unexpected
from gliomask.web.clients.places import has_token, takes_files
from gliomask.web.entrance import Entrance
from gliomask.web.problems import Problem, body_of

PAGE_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "frame-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Content security policy of the web page."""
RESULT_POLICY: Final = "sandbox allow-scripts allow-downloads; frame-ancestors 'self'"
"""Policy of a case page, which contains its own policy and runs in a sandbox."""
_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
    "content-security-policy": PAGE_POLICY,
}
_OPEN: Final = {
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
}
"""Paths with the token in the address, which need no check of the origin."""
_FILE: Final = re.compile(r"/api/v1/(uploads/[^/]+/files/[^/]+|jobs/[^/]+/correction)")

log = logging.getLogger("gliomask.serve")


class Guard:
    """Outermost middleware of the application.

    Args:
        app: the guarded application.
        options: of the server.
    """

    def __init__(self, app: ASGIApp, options: ServeOptions) -> None:
        self._app, self._options = app, options
        self._names = options.host_names
        self._entrance = Entrance()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, see ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, checked = False, False

        async def sending(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                headers = MutableHeaders(scope=message)
                own = _HEADERS | _OPEN if checked and has_token(scope["path"]) else _HEADERS
                for name, value in own.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check(scope)
            checked = True
            async with self._entrance.pass_through(scope["method"]) as leave:
                await self._app(scope, self._counted(scope, receive, leave), sending)
        except Problem as problem:
            if not began:
                await _answer(sending, problem)
        except Exception as error:
            log.error("a bug in gliomask: %s", unexpected(error))
            if not began:
                await _answer(sending, Problem(500, "a bug in gliomask: see the log"))

    def _check(self, scope: Scope) -> None:
        """Raise Problem for refused requests."""
        headers = Headers(scope=scope)
        name = _host_name(headers.get("host", ""))
        if name not in self._names:
            raise Problem(403, "this server has another name: see --name of gliomask serve")
        if not has_token(scope["path"]) and _is_foreign(headers, scope["path"]):
            raise Problem(403, "requests from pages of other sites are refused")
        if any(value != "identity" for value in headers.getlist("content-encoding")):
            raise Problem(415, "a request is sent as it is, without Content-Encoding")
        declared = headers.get("content-length", "0")
        if declared.isdecimal() and int(declared[:20]) > self._most(scope):
            raise Problem(413, f"too large: at most {self._most(scope)} bytes")

    def _most(self, scope: Scope) -> int:
        """Maximum number of bytes of a request."""
        limits = self._options.limits
        if scope["method"] == "PUT" and _FILE.fullmatch(scope["path"]):
            return int(limits.file_bytes)
        if takes_files(scope["path"]):
            return int(limits.upload_bytes + limits.request_body_bytes)
        return int(limits.request_body_bytes)

    def _counted(self, scope: Scope, receive: Receive, leave: Callable[[], None]) -> Receive:
        """``receive`` with a time limit; the first call leaves the entrance."""
        limits, most, loop = self._options.limits, self._most(scope), asyncio.get_running_loop()
        waited, size, whole = 0.0, 0, False

        async def counting() -> Message:
            nonlocal waited, size, whole
            leave()
            if whole:
                return await receive()  # waits for the client to disconnect
            began = loop.time()
            try:
                async with asyncio.timeout(limits.body_seconds):
                    message = await receive()
            except TimeoutError:
                raise Problem(408, "the body of the request was not sent in time") from None
            waited += loop.time() - began  # for the client, not for the disk of the server
            size += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if size > most:
                raise Problem(413, f"too large: at most {most} bytes")
            due = waited * limits.body_bytes_per_second
            if not whole and waited > limits.body_seconds and size < due:
                raise Problem(408, "the body of the request is sent too slowly")
            return message

        return counting


async def _answer(send: Callable[[Message], Awaitable[None]], problem: Problem) -> None:
    body = json.dumps(body_of(problem.status_code, str(problem.detail))).encode()
    fields = {"content-type": "application/json", "content-length": str(len(body))}
    headers = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in {**fields, **(problem.headers or {})}.items()
    ]
    await send({"type": "http.response.start", "status": problem.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _host_name(host: str) -> str:
    """The name in a ``Host`` header, without its port, in lower case; empty if it is no host."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def from_elsewhere(headers: Headers) -> bool:
    """Return True for a request that a page of another origin caused, be it a link on it.

    A page on another port of this machine, or on a neighbour of our domain, is elsewhere too.
    """
    return headers.get("sec-fetch-site") in ("cross-site", "same-site")


def _is_foreign(headers: Headers, path: str) -> bool:
    """Return True for a request from a page of another site."""
    origin = headers.get("origin")
    if origin is not None and not _same_origin(origin, headers["host"]):
        return True
    return from_elsewhere(headers) and path != "/"


def _same_origin(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False
