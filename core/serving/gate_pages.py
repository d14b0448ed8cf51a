"""The few pages shown to who is not let in: plain HTML, no script, nothing of anybody."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from starlette.responses import HTMLResponse, JSONResponse, Response

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, "Segoe UI", sans-serif; margin: 0; background: #F3F7F7; color: #17282B; }
main { max-width: 26rem; margin: 14vh auto 0; padding: 2.2rem 2.4rem; background: #FFFFFF; border: 1px solid #D5DFE0;
  border-radius: 8px; }
h1 { font-size: 1.5rem; margin: 0 0 .6rem; } p { margin: .5rem 0; }
a.button { display: block; margin: 1.1rem 0 .2rem; padding: .65rem 1rem; border-radius: 6px; background: #0B5D66;
  color: #FFFFFF; text-align: center; text-decoration: none; font-weight: 600; }
a.button:focus-visible { outline: 3px solid #0072B2; outline-offset: 2px; }
a { color: #0B5D66; } .note { font-size: .88rem; color: #46595C; }
@media (prefers-color-scheme: dark) {
  body { background: #10191B; color: #E6EFF0; } main { background: #1A272A; border-color: #33454A; }
  a { color: #5CC2CC; } a.button { background: #5CC2CC; color: #10191B; } .note { color: #A9BCBF; } }
"""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
ENDED = {
    "idle": "You were logged out because nothing was done for a while.",
    "too-long": "You were logged out: a login lasts no longer than a day's work.",
    "logged-out": "You are logged out.",
    "replaced": "You were logged out because you logged in again.",
}


def login_page(base: str, providers: Sequence[str], ended: str = "") -> Response:
    """Where a login begins; ``ended`` says why the one before is over (a key of :data:`ENDED`)."""
    links = "".join(
        f'<a class="button" href="{escape(base)}/login?with={escape(name)}">'
        f"{'Log in' if len(providers) == 1 else f'Log in with {escape(name)}'}</a>"
        for name in providers
    )
    told = f'<p role="status">{ENDED[ended]}</p>' if ended in ENDED else ""
    return _page("Log in", f"{told}<p>Your institution's login opens in this window.</p>{links}", 200)


def no_grant_page(base: str, user: str) -> Response:
    """For somebody who is known and may see nothing."""
    who = f"You are logged in as <b>{escape(user)}</b>, " if user else "You are logged in, but without a name, "
    return _page(
        "No access yet",
        f"<p>{who}and have no access here. An administrator can grant it.</p>"
        f'<p><a href="{escape(base)}/auth/logout">Log out</a></p>',
        403,
    )


def refused(status: int, error: str, fix: str) -> Response:
    """A refusal for a program, or for a picture on a page."""
    return JSONResponse({"error": error, "where": "the address", "fix": fix}, status, headers=_HEADERS)


def plain(status: int, text: str) -> Response:
    """One sentence."""
    return _page("Not here", f"<p>{escape(text)}</p>", status)


def _page(title: str, body: str, status: int) -> Response:
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width"><title>Prognoscope</title><style>{_STYLE}</style></head><body><main>'
        f"<h1>{escape(title)}</h1>{body}"
        '<p class="note">Prognoscope. Research use only. Not a medical device.</p></main></body></html>'
    )
    return HTMLResponse(text, status, headers=_HEADERS)
