"""Error responses, for the schema."""

from __future__ import annotations

from typing import Any, Final

from gliomask.web.api.views import ProblemView

_WORDS: Final = {
    400: "Invalid HTTP request.",
    401: "No valid token.",
    403: "The token does not allow it, or the request comes from another site.",
    404: "Not found, or owned by another user.",
    408: "The body was sent too slowly.",
    409: "Not possible in the current state.",
    413: "Too large.",
    415: "A Content-Encoding.",
    422: "Value not allowed.",
    429: "Too many of your own; see Retry-After.",
    503: "Temporarily unavailable; see Retry-After.",
}
_ALWAYS: Final = (400, 403)


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Descriptions of the error responses with these status codes."""
    return {
        status: {"model": ProblemView, "description": _WORDS[status]}
        for status in sorted({*statuses, *_ALWAYS})
    }
