"""No text on a page becomes a link, a picture, a formula or a coloured word: data are shown as the signs they are.

Streamlit reads labels, captions and sentences as Markdown, and the pages put titles, categories and warnings into them.
They use Markdown themselves for bold words, lists and code alone. Everything a page says passes one place before it
goes to the browser: there whatever else Markdown can do is escaped.
"""

from __future__ import annotations

import re
from typing import Any

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext

_CODE = re.compile(r"(?<![\\`])(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_LINKS = re.compile(r"(?<!\\)\](?=[(\[:])")
_ADDRESSES = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=\w@)(?=\w)", re.IGNORECASE)
_JOINER = "\u2060"
"""No sign and no gap: an address with it is shown as before. A backslash would not do, for addresses are looked for in
what Markdown has read already."""
_SIGNS = re.compile(r"(?<!\\)(?:\$|:(?=material/)|:(?=[a-z-]+\[))")
_PLAIN = frozenset(
    ("text", "html", "code", "json", "plotly_chart", "arrow_data_frame", "bidi_component", "component_instance")
)
_READ = ("label", "body", "help", "tooltip")
"""Fields that the browser reads as Markdown, of whatever element or container has them."""
_LISTS = {"radio": ("options", "captions")}


def inert(text: str) -> str:
    """The same words, in which Markdown finds neither link, address, picture, formula nor colour."""
    safe = _ADDRESSES.sub(_JOINER, _LINKS.sub(_escaped, text))
    if "$" not in safe and ":" not in safe:
        return safe
    parts, last = [], 0
    for code in _CODE.finditer(safe):
        parts += [_SIGNS.sub(_escaped, safe[last : code.start()]), code[0]]
        last = code.end()
    return "".join([*parts, _SIGNS.sub(_escaped, safe[last:])])


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[0]}"


def make_inert(message: ForwardMsg) -> None:
    """Escape what a message to the browser says, in place."""
    if message.WhichOneof("type") != "delta":
        return
    delta = message.delta
    part = delta.new_element if delta.WhichOneof("type") == "new_element" else delta.add_block
    kind = part.WhichOneof("type")
    if kind is None or kind in _PLAIN:
        return
    element: Any = getattr(part, kind)
    for field, value in element.ListFields():
        if field.name in _READ and isinstance(value, str):
            setattr(element, field.name, inert(value))
        elif field.name in _LISTS.get(kind, ()):
            for place, option in enumerate(value):
                value[place] = inert(option)
        elif kind == "button_group" and field.name == "options":
            for option in value:
                option.content = inert(option.content)


def install() -> None:
    """Let every page's words pass :func:`make_inert`; doing it again changes nothing."""
    sent = ScriptRunContext.enqueue
    if getattr(sent, "is_inert", False):
        return

    def enqueue(self: ScriptRunContext, msg: ForwardMsg) -> None:
        make_inert(msg)
        sent(self, msg)

    enqueue.is_inert = True  # type: ignore[attr-defined]
    ScriptRunContext.enqueue = enqueue  # type: ignore[method-assign]
