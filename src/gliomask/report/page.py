"""Self-contained HTML pages: no network requests, and only their own scripts.

Everything that a template prints is escaped. A content security policy in the page names its
scripts and styles by their hashes, so that a browser runs nothing else, and forbids every
request that leaves the file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.errors import printable
from gliomask.report.colours import region_styles
from gliomask.report.numbers import number_text
from gliomask.report.package_files import package_text

_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Assets:
    """Styles, scripts and images of a page.

    Attributes:
        styles: CSS, after that of the base.
        scripts: JavaScript, in the order to be run at the end of the page. None may hold
            ``</script`` or ``<!--``.
        style_attributes: allow ``style=""`` in elements, as figures in SVG need it.
        permissions: further directives of the policy, e.g. ``{"connect-src": "data:"}``.
    """

    styles: Sequence[str] = ()
    scripts: Sequence[str] = ()
    style_attributes: bool = False
    permissions: Mapping[str, str] | None = None


def render(template: str, context: Mapping[str, object], assets: Assets | None = None) -> str:
    """A whole page.

    Args:
        template: name of one in ``report/templates`` that extends ``base.html.j2``.
        context: values of the template; a missing name is an error.
        assets: additional styles and scripts.

    Raises:
        ValueError: a script would end its element early, or the context has a name of the base.
    """
    assets = assets or Assets()
    for script in assets.scripts:
        _check_script(script)
    styles = (package_text("templates/base.css"), region_styles(), *assets.styles)
    base = {
        "notice": RESEARCH_USE_ONLY,
        "policy": security_policy(assets, styles),
        "styles": [Markup(style) for style in styles],  # noqa: S704
        "scripts": [Markup(script) for script in assets.scripts],  # noqa: S704
    }
    names = base.keys() & context.keys()
    if names:
        raise ValueError(f"the base page already has a {min(names)!r}")
    return _environment().get_template(template).render({**base, **context})


def security_policy(assets: Assets, styles: Sequence[str]) -> str:
    """The content security policy of a page with these assets and all these styles."""
    hashed = " ".join(_source(style) for style in styles)
    directives = {
        "default-src": "'none'",
        "script-src": " ".join(_source(script) for script in assets.scripts) or "'none'",
        "style-src": "'unsafe-inline'" if assets.style_attributes else hashed,
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        **(assets.permissions or {}),
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def embedded(value: object) -> Markup:
    """JSON for a ``<script type="application/json">``: contains no ``<``, ``>`` or ``&``."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)  # noqa: S704


def data_uri(content: bytes, kind: str = "image/png") -> str:
    """Bytes as a data URL."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


@lru_cache(maxsize=16)
def _check_script(script: str) -> None:
    if "</script" in script.lower() or "<!--" in script:
        raise ValueError("a script contains </script or <!--")


@lru_cache(maxsize=16)
def _source(text: str) -> str:
    """CSP source of a script; cached, because the viewer's script (2.5 MB) is on every page."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


@cache
def _environment() -> Environment:
    """One for all pages of a process: a template is compiled once."""
    environment = Environment(
        loader=PackageLoader("gliomask.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_encodable,
    )
    environment.filters["score"] = lambda value: number_text(value, 3)
    return environment


def _encodable(value: object) -> object:
    """A printed value; the undecodable bytes of a file's name in it are escaped."""
    if isinstance(value, str) and not value.isascii() and _SURROGATES.search(value):
        return printable(value)
    return value
