"""Identity of the user of an existing client."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from gliomask.web.problems import not_found
from gliomask.web.service import allowed, service_of
from gliomask.web.tokens import Access

_OWN = frozenset(("read", "submit"))
_MORE = frozenset(("review",))


def _client(request: Request) -> Access:
    """The owner of the token in the address, or else of that in the header.

    A token in an address may end up in histories and logs of others: it counts only if it was made
    for this, and for what belongs to others only if it was made for reviews as well.
    """
    key = request.path_params.get("key")
    if key is None:
        return _limited(allowed("monai", request))
    access = service_of(request).tokens.access(key)
    if access is None or "monai" not in access.scopes:
        raise not_found("address")
    return _limited(access)


def _limited(access: Access) -> Access:
    return Access(access.owner, _OWN | (access.scopes & _MORE))


Client = Annotated[Access, Depends(_client)]
