"""A board's pages, frozen: one page a patient and an index, to be opened from a stick without any network.

What is shown in a meeting is what was frozen before it. No pseudonym stands in any of the files.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from core.analysis.model_card import RESEARCH_ONLY
from core.analysis.patient_sentences import month_words
from core.board.report_content import report_content
from core.board.report_html import page_html
from core.board.sources import ReportSources
from core.board.talk import FONT_PX, STYLE, place_words, talk_html
from core.cohort.wording import plural
from core.errors import PrognoscopeError
from core.results.board_store import Board, frozen_folder
from core.results.files import MANIFEST, new_folder, read_json, sha256_of, verify_folder, write_json
from core.results.workspace import Workspace

BEGIN, END = "<!--patient-->", "<!--/patient-->"
INDEX = "index.html"
Progress = Callable[[int, int], None]

_PAGE_STYLE = f"""{STYLE}
body{{margin:0;padding:26px clamp(20px,4vw,70px) 110px;background:#fff;font-size:{FONT_PX}px;
font-family:"Source Sans 3","Segoe UI","Liberation Sans",Arial,sans-serif;color:#17282B}}
nav{{position:fixed;left:0;right:0;bottom:0;background:#0B5D66;color:#fff;display:flex;gap:36px;align-items:center;
padding:10px clamp(20px,4vw,70px);font-size:{FONT_PX}px}}
nav a{{color:#fff;text-decoration:none;border:2px solid #fff;border-radius:8px;padding:4px 18px}}
nav a:focus-visible,ol a:focus-visible{{outline:3px solid #D55E00;outline-offset:3px}}nav span{{margin-left:auto}}
ol{{font-size:{FONT_PX + 4}px;line-height:1.9;columns:2 380px}}ol a{{color:#0B5D66}}
.talk ol li{{margin:0;break-inside:avoid}}
"""
_KEYS = """
document.addEventListener('keydown', function (event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  var ways = {ArrowRight: 'next', PageDown: 'next', ' ': 'next', ArrowLeft: 'previous', PageUp: 'previous',
              Home: 'index', Escape: 'index', End: 'last'};
  var way = ways[event.key], link = way && document.getElementById(way);
  if (link) { event.preventDefault(); location.href = link.getAttribute('href'); }
  if (event.key === 'f') { document.documentElement.requestFullscreen(); }
});
"""


@dataclass(frozen=True)
class Frozen:
    """``patients`` pseudonyms in the order of the pages · ``pages`` each patient's part of its page · ``sha256`` of the
    manifest, which holds that of every file."""

    patients: tuple[str, ...]
    run: str
    month: float
    pages: tuple[str, ...]
    sha256: str


def freeze(board: Board, sources: ReportSources, progress: Progress | None = None) -> Frozen:
    """Make every page and store them; earlier ones of the board are replaced.

    Raises
    ------
    PrognoscopeError
        For an empty list, or where a page would name a patient.
    """
    if not board.patients:
        raise PrognoscopeError("an empty list", f"board {board.name!r}", "add patients first")
    workspace, total = sources.workspace, len(board.patients)
    target = frozen_folder(board.id, workspace)
    with new_folder(target) as folder:
        for number, patient in enumerate(board.patients, start=1):
            content = report_content(sources, patient, board.month, board.protocol)
            page = _page(talk_html(content.called(place_words(number, total))), number, total, board)
            _check_unnamed(page, board.patients)
            (folder / page_name(number)).write_text(page, encoding="utf-8")
            if progress is not None:
                progress(number, total)
        (folder / INDEX).write_text(_index(board, sources), encoding="utf-8")
    facts = {"patients": list(board.patients), "run": board.run, "month": board.month,
             "sha256": sha256_of(target / MANIFEST)}  # fmt: skip
    write_json(target.with_name("frozen.json"), facts)
    return load_frozen(board.id, workspace) or _lost(board)


def load_frozen(board_id: str, workspace: Workspace) -> Frozen | None:
    """The frozen pages, each checked against its hash; None where nothing was frozen yet."""
    folder = frozen_folder(board_id, workspace)
    facts_path = folder.with_name("frozen.json")
    if not facts_path.is_file() or not (folder / MANIFEST).is_file():
        return None
    facts = read_json(facts_path)
    verify_folder(folder)
    if sha256_of(folder / MANIFEST) != facts["sha256"]:
        raise PrognoscopeError("frozen pages of another time", "the board's frozen pages", "freeze the board again")
    pages = [
        (folder / page_name(n)).read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]
        for n in range(1, len(facts["patients"]) + 1)
    ]
    return Frozen(tuple(facts["patients"]), facts["run"], float(facts["month"]), tuple(pages), facts["sha256"])


def bundle_zip(board_id: str, workspace: Workspace) -> bytes:
    """The frozen files with the manifest of their SHA-256, the same bytes for the same files."""
    folder = frozen_folder(board_id, workspace)
    verify_folder(folder)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in folder.iterdir() if p.is_file()):
            entry = zipfile.ZipInfo(f"board/{path.name}", (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    return stream.getvalue()


def page_name(number: int) -> str:
    """``"patient-3.html"``."""
    return f"patient-{number}.html"


def _page(part: str, number: int, total: int, board: Board) -> str:
    links = [f'<a id="index" href="{INDEX}">All patients</a>']
    if number > 1:
        links.append(f'<a id="previous" href="{page_name(number - 1)}">← Previous</a>')
    if number < total:
        links.append(f'<a id="next" href="{page_name(number + 1)}">Next →</a>')
    links.append(f'<a id="last" href="{page_name(total)}" hidden>Last</a>')
    nav = f"<nav>{''.join(links)}<span>{RESEARCH_ONLY.split('.')[0]}</span></nav>"
    return page_html(place_words(number, total), f"{BEGIN}{part}{END}{nav}", _PAGE_STYLE, _KEYS)


def _index(board: Board, sources: ReportSources) -> str:
    total = len(board.patients)
    items = "".join(f'<li><a href="{page_name(n)}">{place_words(n, total)}</a></li>' for n in range(1, total + 1))
    synthetic = '<p class="warn">Synthetic patients: nothing here speaks of real people.</p>' if (
        sources.run.synthetic
    ) else ""  # fmt: skip
    body = (
        f'<section class="talk"><h1>{escape(board.name)}</h1><p>{plural(total, "patient")} · estimates at '
        f"{month_words(board.month)} by {escape(sources.run.id)}</p><p>Protocol: {escape(board.protocol)}</p>"
        f"{synthetic}"
        '<p class="quiet">Keys: → and ← from patient to patient, Home back to this list, F for the full screen.</p>'
        f'<ol>{items}</ol><footer>{RESEARCH_ONLY}</footer></section><nav><a id="next" href="{page_name(1)}">Begin →</a>'
        f"<span>{RESEARCH_ONLY.split('.')[0]}</span></nav>"
    )
    _check_unnamed(body, board.patients)
    return page_html("A board's patients", body, _PAGE_STYLE, _KEYS)


def _check_unnamed(page: str, patients: tuple[str, ...]) -> None:
    """No page of a board may name anybody; pictures are left out of the search, their letters mean nothing."""
    text = re.sub(r"data:image/[a-z+]+;base64,[A-Za-z0-9+/=]*", "", page)
    if any(re.search(rf"(?<!\w){re.escape(p)}(?!\w)", text) for p in patients):
        raise PrognoscopeError(
            "a page that names a patient", "the board's pages",
            "take pseudonyms out of the board's name, its protocol and the cohort's labels",
        )  # fmt: skip


def _lost(board: Board) -> Frozen:
    raise PrognoscopeError("frozen pages that vanished", f"board {board.name!r}", "freeze the board again")
