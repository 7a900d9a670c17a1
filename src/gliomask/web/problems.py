"""Error responses."""

from __future__ import annotations

from typing import Final

from starlette.exceptions import HTTPException

_CODES: Final = {
    400: "bad_request",
    401: "token",
    403: "forbidden",
    404: "not_found",
    405: "method",
    408: "too_slow",
    409: "conflict",
    413: "too_large",
    415: "encoding",
    422: "invalid",
    429: "too_many",
    500: "bug",
    503: "unavailable",
}
_LEFT_UNREAD: Final = (408, 413, 415)
"""Status codes after which the rest of the request is not read and the connection is closed."""


class Problem(HTTPException):
    """An error response.

    Args:
        status: of HTTP.
        text: description and what to do, one line.
        retry_s: seconds after which it may be tried again.
    """

    def __init__(self, status: int, text: str, *, retry_s: int | None = None) -> None:
        headers = {"cache-control": "no-store"}
        if retry_s is not None:
            headers["retry-after"] = str(retry_s)
        if status == 401:
            headers["www-authenticate"] = "Bearer"
        if status in _LEFT_UNREAD:
            headers["connection"] = "close"
        super().__init__(status, text, headers)


def body_of(status: int, text: str) -> dict[str, str]:
    """Body of an error response: a code for programs, a line for users."""
    code = _CODES.get(status, "bad_request" if status < 500 else "bug")
    return {"code": code, "text": text}


def not_found(what: str) -> Problem:
    """The same response for missing objects and objects of other users."""
    return Problem(404, f"no such {what}")
