"""HTML that cannot be broken out of: whatever is not made here is text, and is escaped."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_WITHOUT_END = {"meta"}


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str) -> Html:
    """One element.

    Args:
        name: Its name.
        children: What is in it: `Html` as it is, any other text escaped.
        attributes: Its attributes, `aria_label` for aria-label and `class_` for class.
    """
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(text)}"' for key, text in attributes.items()
    )
    if name in _WITHOUT_END:
        return Html(f"<{name}{told}/>")
    return Html(f"<{name}{told}>{joined(children)}</{name}>")


def joined(children: Iterable[str]) -> Html:
    """Several things, one behind the other."""
    return Html("".join(child if isinstance(child, Html) else escape(child) for child in children))


def page(title: str, style: str, *body: Html) -> str:
    """A page that loads nothing and runs nothing, and takes no style but this one.

    Args:
        title: Its title, as text.
        style: Its style sheet; ours, so as text it is not escaped.
        body: What is in its body.
    """
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width"),
        element("title", title),
        element("style", Html(style)),
    )
    return f"<!DOCTYPE html>\n{element('html', head, element('body', *body), lang='en')}\n"
