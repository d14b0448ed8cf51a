"""A patient's report as a PDF: vector figures, the research-only line on each page, the same bytes twice."""

from __future__ import annotations

import io
from html import escape
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Image, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from core.analysis.model_card import RESEARCH_ONLY
from core.analysis.patient_sentences import month_words
from core.board.fonts import BOLD, PLAIN, fonts
from core.board.pdf_picture import Drawn
from core.board.picture import ACCENT, GRID, INK, MUTED, WARNING
from core.board.report_content import ReportContent
from core.board.report_parts import Part, headline_words, parts_of
from core.board.report_tables import Rows

MARGIN, FOOT = 18 * mm, 20 * mm
WIDTH = A4[0] - 2 * MARGIN
PADDING = 6
"""Points that the page's frame keeps free at each side."""
TITLE = "Prognoscope: one patient, one run"


def _style(name: str, size: float, **more: Any) -> ParagraphStyle:
    return ParagraphStyle(name, fontName=PLAIN, fontSize=size, leading=1.35 * size, textColor=HexColor(INK), **more)


BODY, SMALL = _style("body", 9.2, spaceAfter=2), _style("small", 7.8, spaceAfter=2)
SMALL.textColor = HexColor(MUTED)
HEADING = _style("heading", 11.5, spaceBefore=9, spaceAfter=3)
HEADING.fontName = BOLD
CELL, HEAD_CELL = _style("cell", 8), _style("head", 7.6)
HEAD_CELL.textColor = HexColor(MUTED)
ITEM = _style("item", 9.2, leftIndent=10, bulletIndent=1, spaceAfter=1.5)
NAME, LARGE = _style("name", 15), _style("large", 26)
NAME.fontName = LARGE.fontName = BOLD
LARGE.textColor = HexColor(ACCENT)
RIGHT = _style("right", 9, alignment=TA_RIGHT)


def report_pdf(content: ReportContent) -> bytes:
    """The whole report; nothing in it depends on when it is made."""
    fonts()
    stream = io.BytesIO()
    document = SimpleDocTemplate(
        stream, pagesize=A4, leftMargin=MARGIN - PADDING, rightMargin=MARGIN - PADDING, topMargin=15 * mm,
        bottomMargin=FOOT + 4 * mm,
        title=TITLE, author="Prognoscope", subject=RESEARCH_ONLY, invariant=1, pageCompression=1, lang="en",
    )  # fmt: skip
    flow: list[Any] = _head(content)
    for part in parts_of(content):
        flow += _part(part)

    def foot(pen: Any, doc: Any) -> None:
        _foot(pen, doc.page, content)

    document.build(flow, onFirstPage=foot, onLaterPages=foot)
    return stream.getvalue()


def _foot(pen: Any, page: int, content: ReportContent) -> None:
    """The line nobody can miss, on every page."""
    pen.saveState()
    pen.setFillColor(HexColor(ACCENT))
    pen.rect(0, 0, A4[0], FOOT - 6 * mm, stroke=0, fill=1)
    pen.setFillColor(HexColor("#FFFFFF"))
    pen.setFont(BOLD, 8.5)
    pen.drawString(MARGIN, 8.4 * mm, RESEARCH_ONLY)
    pen.setFont(PLAIN, 7.5)
    synthetic = "Synthetic patients · " if content.synthetic else ""
    protocol = f" · {content.protocol}" if content.protocol else ""
    pen.drawString(MARGIN, 4 * mm, f"{synthetic}{content.run.id}{_clipped(protocol, 80)}")
    pen.drawRightString(A4[0] - MARGIN, 4 * mm, f"Page {page}")
    pen.restoreState()


def _clipped(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _head(content: ReportContent) -> list[Any]:
    found = content.identity
    facts = " · ".join([*found.facts, *([f"observed {found.observed}"] if found.observed else [])])
    right = f"{escape(content.title)}<br/>{escape(content.cohort_title)}<br/>{escape(content.badge)} estimate"
    top = Table(
        [[Paragraph(escape(content.name), NAME), Paragraph(right, RIGHT)]], colWidths=[WIDTH * 0.5, WIDTH * 0.5]
    )
    top.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0),
                             ("RIGHTPADDING", (0, 0), (-1, -1), 0)]))  # fmt: skip
    flow: list[Any] = [top, Paragraph(escape(facts), BODY), Spacer(1, 4)]
    if content.synthetic:
        flow.append(Paragraph(f'<font color="{WARNING}"><b>Synthetic patient.</b> Nothing here speaks of a real '
                              "person.</font>", BODY))  # fmt: skip
    flow.append(Paragraph(escape(headline_words(content)), LARGE))
    if content.number is not None:
        words = f"{content.state} {month_words(content.month)} after {content.zero}"
        flow.append(Paragraph(f"patients like this one are {escape(words)}", BODY))
    return flow


def _part(part: Part) -> list[Any]:
    """Heading and what stands first stay on one page."""
    flow: list[Any] = [Paragraph(escape(text), BODY) for text in part.text]
    if part.pictures:
        flow.append(_beside([Drawn(p) for p in part.pictures], [p.width for p in part.pictures]))
    if part.key is not None and part.pictures:
        flow.append(Drawn(part.key))
    if part.photos:
        side = WIDTH / len(part.photos) - 8
        flow.append(_beside([_photo(photo, side) for photo, _ in part.photos], [side + 8] * len(part.photos)))
        flow.append(Paragraph(escape(". ".join(alt for _, alt in part.photos)), SMALL))
    if part.table.rows:
        flow.append(_table(part.table))
    flow += [Paragraph(escape(item), ITEM, bulletText="•") for item in part.items]
    flow += [Paragraph(escape(text), SMALL) for text in part.remarks if text]
    heading = Paragraph(escape(part.title), HEADING)
    return [KeepTogether([heading, *flow[:3]]), *flow[3:]]


def _photo(photo: bytes, side: float) -> Image:
    return Image(io.BytesIO(photo), width=side, height=side, kind="proportional")


def _beside(cells: list[Any], widths: list[float]) -> Table:
    table = Table([cells], colWidths=[w + 8 for w in widths] if sum(widths) + 8 * len(widths) <= WIDTH else None)
    table.hAlign = "LEFT"
    table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "MIDDLE"), ("LEFTPADDING", (0, 0), (-1, -1), 0),
                               ("RIGHTPADDING", (0, 0), (-1, -1), 8)]))  # fmt: skip
    return table


def _table(rows: Rows) -> Table:
    head = [Paragraph(escape(c), HEAD_CELL) for c in rows.columns]
    body = [[Paragraph(escape(c), CELL) for c in row] for row in rows.rows]
    table = Table([head, *body], colWidths=_widths(rows), repeatRows=1)
    table.hAlign = "LEFT"
    table.setStyle(
        TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, 0), 0.7, HexColor(MUTED)),
                ("LINEBELOW", (0, 1), (-1, -1), 0.3, HexColor(GRID)),
                ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 1.6), ("BOTTOMPADDING", (0, 0), (-1, -1), 1.6),
            ]
        )
    )  # fmt: skip
    return table


def _widths(rows: Rows) -> list[float]:
    """Columns by the length of what stands in them, none narrower than a tenth of the page."""
    longest = [
        max(len(r[i]) for r in (rows.columns, *rows.rows)) for i in range(len(rows.columns))
    ]  # fmt: skip
    capped = [min(max(n, 9), 60) for n in longest]
    total = sum(capped)
    return [WIDTH * n / total for n in capped]
