"""A patient's report as one HTML page that needs nothing else: no script, no address, no network."""

from __future__ import annotations

import base64
from html import escape

from core.analysis.model_card import RESEARCH_ONLY
from core.analysis.patient_sentences import month_words
from core.board.report_content import ReportContent
from core.board.report_parts import Part, headline_words, parts_of
from core.board.report_tables import Rows
from core.board.svg import svg_of

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a browser may load for it: nothing but what stands in the file."""
STYLE = """
body{font:16px/1.5 "Source Sans 3","Segoe UI","Liberation Sans",Arial,sans-serif;color:#17282B;max-width:900px;
margin:0 auto;padding:20px 24px 80px;font-variant-numeric:tabular-nums}
h1{font-size:26px;margin:0}h2{font-size:18px;margin:26px 0 6px;border-bottom:1px solid #B9CDCF;padding-bottom:3px}
.of{font-size:44px;font-weight:650;color:#0B5D66;margin:10px 0 0;line-height:1.1}.sub{color:#55676B;margin:0}
.ruo{position:fixed;left:0;right:0;bottom:0;background:#0B5D66;color:#fff;padding:7px 24px;font-size:14px;margin:0}
.synthetic{color:#9A3B00;font-weight:650}table{border-collapse:collapse;width:100%;font-size:14px;margin:6px 0}
th{text-align:left;color:#55676B;border-bottom:1px solid #B9CDCF;padding:3px 12px 3px 0}
td{padding:4px 12px 4px 0;border-bottom:1px solid #EAF0F0;vertical-align:top;overflow-wrap:anywhere}
.beside{display:flex;flex-wrap:wrap;gap:12px 28px;align-items:center}svg,img{max-width:100%;height:auto}
img{width:400px}.remark{color:#55676B;font-size:14px;margin:4px 0}p{margin:4px 0;white-space:pre-line}
@media print{.ruo{position:fixed}h2{break-after:avoid}}
"""


def report_html(content: ReportContent) -> str:
    """The whole report, the same text for the same content."""
    found = content.identity
    facts = " · ".join([*found.facts, *([f"observed {found.observed}"] if found.observed else [])])
    under = ""
    if content.number is not None:
        words = f"{content.state} {month_words(content.month)} after {content.zero}"
        under = f"<p>patients like this one are {escape(words)}</p>"
    synthetic = (
        '<p class="synthetic">Synthetic patient. Nothing here speaks of a real person.</p>' if content.synthetic else ""
    )
    made = f"{content.title} · {content.cohort_title} · {content.badge} estimate"
    protocol = f" · Protocol: {escape(content.protocol)}" if content.protocol else ""
    body = (
        f"<h1>{escape(content.name)}</h1><p>{escape(facts)}</p>"
        f'<p class="sub">{escape(made)}</p>'
        f'{synthetic}<p class="of">{escape(headline_words(content))}</p>{under}'
        + "".join(_part(part) for part in parts_of(content))
        + f'<p class="ruo"><b>{RESEARCH_ONLY}</b>{protocol}</p>'
    )
    return page_html("Prognoscope: one patient, one run", body, STYLE)


def page_html(title: str, body: str, style: str, script: str = "") -> str:
    """A whole document that may load nothing; ``script`` is the application's own and never holds data."""
    policy = POLICY + ("; script-src 'unsafe-inline'" if script else "")
    code = f"<script>{script}</script>" if script else ""
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" '
        f'content="{policy}"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
        f"<style>{style}</style></head><body>{body}{code}</body></html>\n"
    )


def _part(part: Part) -> str:
    pieces = [f"<h2>{escape(part.title)}</h2>", *(f"<p>{escape(t)}</p>" for t in part.text)]
    if part.pictures:
        drawn = "".join(f"<div>{svg_of(p, 1.6)}</div>" for p in part.pictures)
        pieces.append(f'<div class="beside">{drawn}</div>')
    if part.key is not None and part.pictures:
        pieces.append(svg_of(part.key, 1.6))
    if part.photos:
        pieces.append(f'<div class="beside">{"".join(photo_html(p, alt) for p, alt in part.photos)}</div>')
    pieces.append(table_html(part.table))
    if part.items:
        pieces.append("<ul>" + "".join(f"<li>{escape(i)}</li>" for i in part.items) + "</ul>")
    pieces += [f'<p class="remark">{escape(t)}</p>' for t in part.remarks if t]
    return "".join(pieces)


def photo_html(photo: bytes, alt: str) -> str:
    """A JPEG inside the page."""
    return f'<img alt="{escape(alt)}" src="data:image/jpeg;base64,{base64.b64encode(photo).decode("ascii")}">'


def table_html(rows: Rows) -> str:
    """A table, or nothing."""
    if not rows.rows:
        return ""
    head = "".join(f"<th>{escape(c)}</th>" for c in rows.columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in rows.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
