"""A model card as Markdown, as one self-contained HTML page, and as JSON for machines."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape
from typing import Any

from core.analysis.card_words import Table, card_tables
from core.analysis.decision import decision_sentence, decision_table
from core.analysis.model_card import RESEARCH_ONLY, ModelCard
from core.analysis.tripod import counted
from core.board.card_charts import calibration_chart, decision_chart
from core.board.svg import svg_of
from core.results.run import Run
from core.statistics.estimate import Estimate

FORMATS = {"md": "text/markdown", "html": "text/html", "json": "application/json"}
"""Extension → media type."""

_STYLE = """
body{font:16px/1.5 "Source Sans 3","Segoe UI","Liberation Sans",Arial,sans-serif;color:#17282B;max-width:1000px;
margin:0 auto;padding:24px 24px 60px;font-variant-numeric:tabular-nums}
h1{font-size:26px;margin:0 0 4px}h2{font-size:19px;margin:30px 0 6px;border-bottom:1px solid #B9CDCF;padding-bottom:4px}
.ruo{background:#0B5D66;color:#fff;padding:6px 14px;border-radius:4px;margin:0 0 18px}
.ruo.synthetic{background:#fff;color:#9A3B00;border:1px solid #9A3B00}
p.sub{color:#55676B;margin:0 0 12px}table{border-collapse:collapse;width:100%;font-size:14px;margin:8px 0}
th{text-align:left;color:#55676B;border-bottom:1px solid #B9CDCF;padding:4px 12px 4px 0}
td{padding:5px 12px 5px 0;border-bottom:1px solid #EAF0F0;vertical-align:top;overflow-wrap:anywhere}
svg{max-width:100%;height:auto;display:block;margin:10px 0}li{margin:3px 0}code{overflow-wrap:anywhere}
@media print{.ruo{position:fixed;bottom:0;left:0;right:0;border-radius:0;margin:0}body{padding-bottom:90px}}
"""


def card_file(card: ModelCard, kind: str) -> bytes:
    """The card in one of :data:`FORMATS`, the same bytes for the same card."""
    make = {"md": card_markdown, "html": card_html, "json": card_json}[kind]
    return make(card).encode("utf-8")


def file_name(run: Run, kind: str) -> str:
    """``"model-card-<run>.md"``; that patients are generated stands in the name too."""
    return f"{'synthetic-' if run.synthetic else ''}model-card-{run.id}.{kind}"


def card_markdown(card: ModelCard) -> str:
    """GitHub-flavoured Markdown."""
    parts = [f"# Model card: {_md(card.title)}", "", f"**{RESEARCH_ONLY}**"]
    if card.run.synthetic:
        parts += ["", "**Synthetic patients: nothing here speaks of real people.**"]
    parts += ["", _md(_head(card)), ""]
    for table in card_tables(card):
        parts += [f"## {_md(table.title)}", ""]
        parts += [line for text in table.before for line in (_md(text), "")]
        if table.rows:
            parts.append("| " + " | ".join(_md(c) for c in table.columns) + " |")
            parts.append("|" + " --- |" * len(table.columns))
            parts += ["| " + " | ".join(_md(c) for c in row) + " |" for row in table.rows]
            parts.append("")
        if table.items:
            parts += [f"- {_md(item)}" for item in table.items]
            parts.append("")
    return "\n".join([*parts, f"*{RESEARCH_ONLY}*", ""])


def _md(text: str) -> str:
    """Text in which no sign means anything to Markdown or to HTML."""
    plain = " ".join(text.split())
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", plain).replace("&", "&amp;")


def card_html(card: ModelCard) -> str:
    """One page without any other file, script or address."""
    parts = [f"<h1>Model card: {escape(card.title)}</h1>", f'<p class="sub">{escape(_head(card))}</p>']
    charts = {"Calibration": calibration_chart(card), "Decision curve": decision_chart(card)}
    for table in card_tables(card):
        parts.append(f"<h2>{escape(table.title)}</h2>")
        parts += [f"<p>{escape(text)}</p>" for text in table.before]
        picture = charts.get(table.title)
        if picture is not None:
            parts.append(svg_of(picture, 1.5))
        parts.append(_html_table(table))
        if table.items:
            parts.append("<ul>" + "".join(f"<li>{escape(i)}</li>" for i in table.items) + "</ul>")
    synthetic = '<p class="ruo synthetic">Synthetic patients</p>' if card.run.synthetic else ""
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Model card {escape(card.run.id)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f'<p class="ruo">{RESEARCH_ONLY}</p>{synthetic}{"".join(parts)}</body></html>\n'
    )


def _html_table(table: Table) -> str:
    if not table.rows:
        return ""
    head = "".join(f"<th>{escape(c)}</th>" for c in table.columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in table.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _head(card: ModelCard) -> str:
    imported = f", imported {card.imported_at}" if card.imported_at else ""
    return f"Run {card.run.id} · {card.cohort_title}{imported} · {card.badge} · {card.counter}"


def card_json(card: ModelCard) -> str:
    """Every number with its interval; keys are stable."""
    run, counts = card.run, counted(card.items)
    value: dict[str, Any] = {
        "notice": RESEARCH_ONLY, "kind": "prognoscope model card", "version": 1, "title": card.title, "run": run.id,
        "model": run.model, "cohort": run.cohort, "cohort_title": card.cohort_title, "cohort_sha256": run.cohort_hash,
        "data_imported": card.imported_at, "synthetic": run.synthetic, "protocol": run.protocol, "badge": card.badge,
        "code_version": run.code_version, "created_at": run.created_at, "command": run.command,
        "patients": run.patients, "events": run.events, "modalities": list(run.modalities), "endpoint": run.endpoint,
        "folds": run.folds, "seeds": list(run.seeds), "horizons": list(run.horizons),
        "tripod_ai": {
            "counts": {str(k): v for k, v in counts.items()},
            "items": [{"number": i.number, "section": i.section, "topic": i.topic, "status": str(i.status),
                       "facts": list(i.facts), "missing": list(i.missing)} for i in card.items],
        },
        "flow": [{"step": s.words, "patients": s.patients, "more": s.more,
                  "left_out": [{"reason": r, "count": n} for r, n in s.left_out]} for s in card.flow],
        "metrics": run.metrics.as_json(),
        "references": [{"name": r.name, "metrics": r.metrics.as_json()} for r in run.references],
        "decision_curve": _decision_json(card),
        "subgroups": {"month": card.month, "groups": [_group_json(g) for g in card.subgroups]},
        "fold_families": [{"run": f.run.id, "folds": f.kind, "optimistic": f.optimistic, "shown": f.shown,
                           "harrell_c": {"mean": f.c.mean, "low": f.c.low, "high": f.c.high}} for f in card.families],
        "missing_families": list(card.missing_families),
        "limitations": list(card.limitations),
    }  # fmt: skip
    return json.dumps(_finite(value), ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n"


def _decision_json(card: ModelCard) -> dict[str, Any]:
    table = decision_table(card.decision).rename(columns=lambda c: c.replace(" ", "_"))
    return {"month": card.decision.month, "words": decision_sentence(card.decision), "rows": table.to_dict("records")}


def _group_json(group: Any) -> dict[str, Any]:
    return {
        "variable": group.variable, "level": group.level, "patients": group.n, "events": group.events,
        "harrell_c": _estimate(group.c), "predicted_survival": group.predicted,
        "observed_survival": _estimate(group.observed), "difference": _estimate(group.difference), "note": group.note,
    }  # fmt: skip


def _estimate(found: Estimate) -> dict[str, Any]:
    return {"value": found.value, "low": found.low, "high": found.high, "note": found.note}


def _finite(value: Any) -> Any:
    """NaN and infinity as null."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_finite(v) for v in value]
    if isinstance(value, float) and value != value:
        return None
    return None if value in (float("inf"), float("-inf")) else value
