"""One patient as a page to be read from across a room: 18 points and more, without any identifier."""

from __future__ import annotations

import re
from html import escape

from core.analysis.model_card import RESEARCH_ONLY
from core.analysis.patient_reasons import Reason
from core.analysis.patient_sentences import count_words, month_words, say
from core.board.patient_charts import course_chart
from core.board.report_content import ReportContent
from core.board.report_html import photo_html, table_html
from core.board.slide_region import SlideRegion
from core.board.svg import svg_image
from core.cohort.wording import plural

FONT_PX = 24
"""18 points: nothing on the page is smaller."""
OLDEST = 89
"""Ages above are a way to know somebody: they stand as one group."""

STYLE = f"""
.talk{{font:{FONT_PX + 2}px/1.4 "Source Sans","Source Sans 3","Segoe UI","Liberation Sans",Arial,sans-serif;
color:var(--pg-ink,#17282B);font-variant-numeric:tabular-nums}}
.talk header{{display:flex;flex-wrap:wrap;gap:4px 40px;align-items:baseline;
border-bottom:2px solid var(--pg-edge,#B9CDCF);padding-bottom:8px;margin-bottom:16px}}
.talk h1{{font-size:40px;line-height:1.15;margin:0;padding:0}}
.talk h2{{font-size:28px;line-height:1.2;margin:26px 0 8px;padding:0}}
.talk p{{margin:6px 0;font-size:inherit}}
.talk .quiet{{color:var(--pg-muted,#55676B)}}
.talk .warn{{color:var(--pg-warning,#9A3B00);font-weight:650}}
.talk .pair{{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(560px,100%),1fr));gap:16px 48px}}
.talk .of{{font-size:104px;font-weight:650;color:var(--pg-accent,#0B5D66);line-height:1;margin:6px 0}}
.talk .of small{{font-size:40px;color:var(--pg-soft,#3C5054);font-weight:400}}
.talk ul{{margin:0;padding-left:30px}}
.talk li{{margin:4px 0;font-size:inherit}}
.talk table{{border-collapse:collapse;width:100%;font-size:{FONT_PX}px;margin:8px 0}}
.talk th{{text-align:left;color:var(--pg-muted,#55676B);
border-bottom:2px solid var(--pg-edge,#B9CDCF);padding:5px 18px 5px 0;font-size:{FONT_PX}px}}
.talk td{{padding:6px 18px 6px 0;border-bottom:1px solid var(--pg-hair,#EAF0F0);vertical-align:top}}
.talk img{{width:100%;max-width:640px;height:auto}}.talk img.drawn{{display:block;width:auto;max-width:none;
background:#FFFFFF;border-radius:8px}}
.talk footer{{margin-top:26px;border-top:2px solid var(--pg-edge,#B9CDCF);padding-top:8px;
color:var(--pg-accent,#0B5D66);font-weight:650;
font-size:{FONT_PX}px}}
"""
"""Read from a file it is light; on a page it takes the colours of the reader's palette. Charts stay as printed."""


def place_words(place: int, of: int) -> str:
    """``"Patient 3 of 7"``; ``place`` counts from 1."""
    return f"Patient {place} of {of}"


def talk_html(content: ReportContent) -> str:
    """The patient's part of a page; ``content`` was given a place instead of a name (:meth:`ReportContent.called`)."""
    return (
        f'<section class="talk"><header><h1>{escape(content.name)}</h1>{_facts(content)}</header>'
        f"{_estimate(content)}{_reasons(content)}{_slide(content)}{_beside(content)}"
        f"<footer>{RESEARCH_ONLY} {escape(_made_by(content))}</footer></section>"
    )


def _facts(content: ReportContent) -> str:
    facts = " · ".join(_unnamed(f) for f in content.identity.facts)
    synthetic = '<span class="warn">Synthetic patient</span>' if content.synthetic else ""
    return f"<span>{escape(facts)}</span>{synthetic}"


def _unnamed(fact: str) -> str:
    age = re.fullmatch(r"(\d+) years", fact)
    return f"{OLDEST + 1} years or over" if age and int(age.group(1)) > OLDEST else fact


def _estimate(content: ReportContent) -> str:
    estimate, number = content.estimate, content.number
    if estimate is None:
        return f'<p class="of"><small>No estimate</small></p><p>{escape(content.refused)}</p>'
    words = (content.state, content.zero)
    chart = course_chart(estimate, content.month, words, content.comparable, (660, 400), FONT_PX)
    key = f"Line: mean of {plural(estimate.models, 'model')}; band: how far they differ. {_reference(content)}"
    right = f'<div>{svg_image(chart)}<p class="quiet">{escape(key)}</p></div>'
    if number is None:
        return f'<div class="pair"><div>{"".join(f"<p>{escape(s)}</p>" for s in content.said)}</div>{right}</div>'
    below = f"patients like this one are {content.state} {month_words(content.month)} after {content.zero}"
    doubts = [*content.said[1:], content.support]
    optimistic = (
        '<p class="warn">Optimistic (upstream protocol): the epoch was chosen on these very patients.</p>'
        if content.badge == "optimistic" else ""
    )  # fmt: skip
    left = (
        f'<div><p class="of">{escape(count_words(number.value))} <small>of 100</small></p><p>{escape(below)}</p>'
        + "".join(f'<p class="quiet">{escape(d)}</p>' for d in doubts if d) + f"{optimistic}</div>"
    )  # fmt: skip
    return f'<div class="pair">{left}{right}</div>'


def _reference(content: ReportContent) -> str:
    found = content.comparable
    return "" if found is None else f"Dashed: {found.words}" if found.curve is not None else found.words


def _reasons(content: ReportContent) -> str:
    reasons = content.reasons
    if reasons is None:
        return f'<h2>What moved this estimate</h2><p class="quiet">{escape(content.no_reasons)}</p>' if (
            content.estimate is not None
        ) else ""  # fmt: skip
    return (
        '<div class="pair">'
        + _side("Raise the risk", reasons.up, say("no_reason_up"))
        + _side("Lower the risk", reasons.down, say("no_reason_down"))
        + "</div>"
    )


def _side(title: str, reasons: tuple[Reason, ...], none: str) -> str:
    lines = "".join(
        f"<li>{escape(r.label)}{escape(f' ({r.observed})') if r.observed else ''}: "
        f"{'−' if r.raises_risk else '+'}{r.points:.1f} points</li>"
        for r in reasons
    )
    return f"<div><h2>{escape(title)}</h2>{f'<ul>{lines}</ul>' if lines else f'<p>{escape(none)}</p>'}</div>"


def _slide(content: ReportContent) -> str:
    region = content.region
    if not isinstance(region, SlideRegion):
        return f'<h2>On the slide</h2><p class="quiet">{escape(region)}</p>' if region else ""
    photos = (photo_html(region.overview, region.alt_overview), photo_html(region.region, region.alt_region))
    pair = "".join(f"<div>{photo}</div>" for photo in photos)
    return f'<h2>On the slide</h2><div class="pair">{pair}</div><p class="quiet">{escape(region.words)}</p>'


def _beside(content: ReportContent) -> str:
    table = f"<h2>Simple predictions beside it</h2>{table_html(content.simple)}" if content.simple.rows else ""
    trust = "".join(f"<p>{escape(t)}</p>" for t in content.calibration_words)
    return f"{table}<h2>How far the run can be trusted</h2>{trust}"


def _made_by(content: ReportContent) -> str:
    protocol = f" · {content.protocol}" if content.protocol else ""
    return f"{content.run.id}{protocol}"
