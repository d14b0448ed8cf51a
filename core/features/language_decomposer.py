"""A report cut into parts by a local language model, which is believed only where it quotes the report.

The model answers with one JSON object of three lists of sentences. Every sentence must stand in the report character
for character; one that does not is refused, and an answer that is no such object is refused as a whole: the lexicon
then decides, and the reader is told.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from core.features.report_parts import Part, PartSpan, decompose, labelled_span
from core.features.text_model import load_pretrained
from core.media.reports import Span

Generate = Callable[[str], str]

PROMPT = """You sort the sentences of a medical report. Copy every sentence exactly as it is written, character for \
character, into one of three lists: "liver" for the liver itself, its function and portal hypertension; "tumour" for \
tumours, their spread and their treatment; "other" for everything else. Answer with one JSON object \
{"liver": [...], "tumour": [...], "other": [...]} and nothing else.

Report:
"""
_NEW_TOKENS = 2048


@dataclass(frozen=True)
class Decomposition:
    """``spans`` verbatim parts in the order of the report · ``refused`` quotations that do not stand in it ·
    ``reason`` why the whole answer was refused, else empty (the spans are then the lexicon's)."""

    spans: tuple[PartSpan, ...]
    refused: int = 0
    reason: str = ""


def decompose_with(generate: Generate, report: str) -> Decomposition:
    """Ask ``generate`` (prompt → answer) and keep what is verbatim."""
    lists, reason = _parsed(generate(PROMPT + report))
    if reason:
        return Decomposition(decompose(report), 0, reason)
    spans, refused = _verbatim(report, lists)
    if not spans:
        return Decomposition(decompose(report), refused, "no sentence of it stands in the report")
    return Decomposition(spans, refused)


def _parsed(answer: str) -> tuple[dict[Part, list[str]], str]:
    """The three lists, or why the answer is none: strict JSON with these keys and strings alone."""
    try:
        value = json.loads(answer)
    except ValueError:
        return {}, "the answer is no JSON"
    if not isinstance(value, dict) or set(value) != {p.value for p in Part}:
        return {}, "the answer is no object with the lists liver, tumour and other"
    if not all(isinstance(v, list) and all(isinstance(s, str) for s in v) for v in value.values()):
        return {}, "the answer's lists hold something else than text"
    return {part: value[part.value] for part in Part}, ""


def _verbatim(report: str, lists: dict[Part, list[str]]) -> tuple[tuple[PartSpan, ...], int]:
    """Each quotation at its first place that no other took; the longest are placed first."""
    quotations = sorted(((text.strip(), part) for part, texts in lists.items() for text in texts), key=_longest_first)
    taken: list[tuple[int, int]] = []
    spans, refused = [], 0
    for text, part in quotations:
        start = _free_place(report, text, taken) if text else -1
        if start < 0:
            refused += 1
            continue
        taken.append((start, start + len(text)))
        spans.append(labelled_span(Span(start, start + len(text), text), part))
    return tuple(sorted(spans, key=lambda s: s.start)), refused


def _longest_first(quotation: tuple[str, Part]) -> tuple[int, str]:
    return -len(quotation[0]), quotation[0]


def _free_place(report: str, text: str, taken: list[tuple[int, int]]) -> int:
    start = report.find(text)
    while start >= 0 and any(start < b and a < start + len(text) for a, b in taken):
        start = report.find(text, start + 1)
    return start


def local_generator(source: str, download: bool = False) -> Generate:
    """Greedy answers of a causal language model in a local folder (Qwen3 and alike), without its "thinking" part."""

    def generate(prompt: str) -> str:
        import torch

        tokenizer, model = load_pretrained(source, "AutoModelForCausalLM", download)
        if getattr(tokenizer, "chat_template", None):
            chat = [{"role": "user", "content": prompt}]
            prompt = tokenizer.apply_chat_template(
                chat, tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
        tokens = tokenizer(prompt, return_tensors="pt")
        room = int(getattr(model.config, "max_position_embeddings", 1 << 20)) - tokens["input_ids"].shape[1]
        if room < 1:
            return ""
        with torch.inference_mode():
            made = model.generate(
                input_ids=tokens["input_ids"],
                attention_mask=tokens["attention_mask"],
                max_new_tokens=min(room, _NEW_TOKENS),
                do_sample=False,
            )
        answer: str = tokenizer.decode(made[0, tokens["input_ids"].shape[1] :], skip_special_tokens=True)
        return answer.strip()

    return generate
