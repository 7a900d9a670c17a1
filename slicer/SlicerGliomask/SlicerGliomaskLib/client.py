"""A client of the API of ``gliomask serve``, of the standard library alone."""

from __future__ import annotations

import http.client
import json
import shutil
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

_API = "/api/v1"
_SECONDS = 60.0


class ServerError(Exception):
    """Error of the server, or no response from it; one line for people."""


class Client:
    """The API of a server.

    Args:
        address: of the server, or the whole address that ``gliomask serve`` prints.
        token: that it asks for; that in the address if it is empty.

    Raises:
        ServerError: that is no address.
    """

    def __init__(self, address: str, token: str = "") -> None:
        parts = urllib.parse.urlsplit(address.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ServerError("not an address: it begins with http:// or https://")
        given = urllib.parse.parse_qs(parts.query).get("token", [""])[0]
        self._base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}{_API}"
        self._token = token.strip() or given

    def models(self) -> list[dict[str, Any]]:
        """The models that the server offers, with their sequences and labels."""
        found: list[dict[str, Any]] = self._json("GET", "/models")
        return found

    def begin_upload(self) -> str:
        """The id of a new upload."""
        return str(self._json("POST", "/uploads")["id"])

    def send(self, upload: str, number: int, path: str) -> None:
        """Sends a file; the server gets the last part of its name."""
        name = urllib.parse.urlencode({"name": Path(path).name})
        with Path(path).open("rb") as content:
            headers = {
                "content-length": str(Path(path).stat().st_size),
                "content-type": "application/octet-stream",
            }
            with self._open("PUT", f"/uploads/{upload}/files/{number}?{name}", content, headers):
                pass

    def delete_upload(self, upload: str) -> None:
        """Deletes an upload that no job needs."""
        with self._open("DELETE", f"/uploads/{upload}"):
            pass

    def submit(self, upload: str, options: dict[str, Any]) -> str:
        """The id of a new job."""
        return str(self._json("POST", "/jobs", {"upload": upload, "options": options})["id"])

    def job(self, job: str, wait: float = 0.0) -> dict[str, Any]:
        """A job; with ``wait``, when it has ended or the seconds are over."""
        found: dict[str, Any] = self._json("GET", f"/jobs/{job}?wait={wait:g}")
        return found

    def cancel(self, job: str) -> None:
        """Asks for the end of a job."""
        self._json("DELETE", f"/jobs/{job}")

    def download(self, job: str, kind: str, path: str) -> None:
        """Writes a file of a result; nothing stands at the path unless all of it has come."""
        partial = Path(f"{path}.part")
        with self._open("GET", f"/jobs/{job}/files/{kind}") as answer, partial.open("wb") as file:
            shutil.copyfileobj(answer, file)
        partial.replace(path)

    def _json(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {} if data is None else {"content-type": "application/json"}
        with self._open(method, path, data, headers) as answer:
            return json.loads(answer.read())

    def _open(
        self, method: str, path: str, data: Any = None, headers: dict[str, str] | None = None
    ) -> Any:
        asked = urllib.request.Request(  # noqa: S310 (the scheme was looked at)
            self._base + path, data=data, method=method, headers=dict(headers or {})
        )
        if self._token:
            asked.add_header("authorization", f"Bearer {self._token}")
        try:
            return urllib.request.urlopen(asked, timeout=_SECONDS)  # noqa: S310
        except urllib.error.HTTPError as refused:
            with refused:
                raise ServerError(_text_of(refused)) from None
        except (OSError, http.client.HTTPException) as problem:
            reason = getattr(problem, "reason", problem)
            raise ServerError(f"the server does not respond: {reason}") from None


def _text_of(refused: urllib.error.HTTPError) -> str:
    """The line for people in an answer other than success."""
    try:
        return str(json.loads(refused.read())["text"])
    except (ValueError, KeyError, TypeError, OSError):
        return f"the server answered {refused.code}: is it a gliomask server?"
