"""Reports → one row a sentence with the part it belongs to: what BioFact-MoE's experts learn from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from core.arrays import Float32Array
from core.cohort.media_index import MediaFile, MediaKind
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.encoders import Encoded
from core.features.lexicon_terms import CONCEPTS
from core.features.marker_mentions import redact
from core.features.report_encoder import sentence_features
from core.features.report_parts import Part, PartSpan, decompose, states_disease
from core.features.text_model import POOLINGS, TextModel, model_digest
from core.media.reports import Span, read_report

_LEXICON = len(CONCEPTS) + 5
_BUCKETS = 4096


@dataclass(frozen=True)
class ReportParts:
    """The sentences about liver and tumour, and of the others those that name a finding.

    A row is four flags (liver, tumour, other; and whether the sentence affirms or doubts a finding of disease of its
    part), the lexicon's findings, and ``words`` numbers of a text encoder that
    needs no download: words and pairs of words hashed into 4,096 buckets and projected by a fixed random matrix
    (Weinberger et al., 2009; Achlioptas, 2003). Words that share no letters share no meaning for it.

    Parameters
    ----------
    words : int
    redact : bool
        Blank every mention of a marker first, so that the marker can be held out of a run.
    text_model : str
        In place of the hashed words: a frozen transformer (BioBERT, PubMedBERT …) in a local folder.
    pooling : "mean" or "cls"
        How its last layer becomes one vector a sentence.
    decomposer : str
        In place of the lexicon, a local language model (Qwen3 and alike) that sorts the sentences; see
        :mod:`core.features.language_decomposer`.
    download : bool
        Allow the two to be ids on the Hugging Face hub that are fetched when they are not here.
    digests : str
        SHA-256 of the two models, filled in.
    """

    words: int = 64
    redact: bool = False
    text_model: str = ""
    pooling: str = "mean"
    decomposer: str = ""
    download: bool = False
    digests: str = ""

    name: ClassVar[str] = "report-parts"
    version: ClassVar[int] = 2
    modality: ClassVar[Modality] = Modality.REPORTS
    reads: ClassVar[frozenset[MediaKind]] = frozenset({MediaKind.REPORT})

    def __post_init__(self) -> None:
        if self.pooling not in POOLINGS:
            raise PrognoscopeError(f"pooling {self.pooling!r}", f"encoder {self.name}", "use mean or cls")
        if self.text_model or self.decomposer:
            sources = (self.text_model, self.decomposer)
            found = " ".join(model_digest(source, self.download) if source else "-" for source in sources)
            if self.digests not in ("", found):
                raise PrognoscopeError(
                    "a language model that has changed since", f"encoder {self.name}", "encode the cohort again"
                )
            object.__setattr__(self, "digests", found)

    def encode(self, files: tuple[MediaFile, ...]) -> Encoded:
        """All of a patient's reports; coordinates are first and last character of each sentence in its report."""
        kept: list[PartSpan] = []
        sources: list[int] = []
        rows: list[Float32Array] = []
        failures: list[str] = []
        warnings: list[str] = []
        for number, file in enumerate(files):
            try:
                text = read_report(file.path)
                text = redact(text) if self.redact else text
            except PrognoscopeError as error:
                failures.append(error.found)
                continue
            spans = self._parts(text, warnings)
            for i, span in enumerate(spans):
                findings = sentence_features(Span(span.start, span.end, span.text), i / max(1, len(spans) - 1))
                if span.part is Part.OTHER and findings is None:
                    continue
                kept.append(span)
                sources.append(number)
                rows.append(np.zeros(_LEXICON, dtype=np.float32) if findings is None else findings)
        if len(failures) == len(files):
            raise PrognoscopeError("; ".join(dict.fromkeys(failures)), "the reports of a patient", "see each report")
        warnings += [f"{len(failures)} of {len(files)} reports left out"] if failures else []
        if not kept:  # a report that says nothing of either is an answer too
            warnings.append("no sentence on liver or tumour")
            kept, sources = [_nothing()], [0]
            rows = [np.zeros(_LEXICON, dtype=np.float32)]
        flags = np.array([[*(s.part is p for p in Part), states_disease(s)] for s in kept], dtype=np.float32)
        features = np.hstack([flags, np.stack(rows), self._text(tuple(s.text for s in kept))])
        return Encoded(
            features.astype(np.float32),
            np.array([(s.start, s.end) for s in kept], dtype=np.int64),
            np.array(sources, dtype=np.int64),
            tuple(s.part.value for s in kept),
            warnings=tuple(warnings),
            facts={"rows": "sentences"},
        )

    def _parts(self, text: str, warnings: list[str]) -> tuple[PartSpan, ...]:
        """Sentences with their parts, from the lexicon or the language model; what was refused goes to ``warnings``."""
        if not self.decomposer:
            return decompose(text)
        from core.features.language_decomposer import decompose_with, local_generator

        found = decompose_with(local_generator(self.decomposer, self.download), text)
        if found.reason:
            warnings.append(f"the language model's answer was refused ({found.reason}): the lexicon decided")
        if found.refused:
            warnings.append(f"{found.refused} sentences of the language model do not stand in the report: refused")
        return found.spans

    def _text(self, sentences: tuple[str, ...]) -> Float32Array:
        """(n, ·) text features of each sentence."""
        if self.text_model:
            return TextModel(self.text_model, self.pooling, self.download).vectors(sentences)
        from sklearn.feature_extraction.text import HashingVectorizer

        hashed = HashingVectorizer(n_features=_BUCKETS, ngram_range=(1, 2), alternate_sign=True).transform(sentences)
        return np.asarray(hashed @ _projection(self.words), dtype=np.float32)


@cache
def _projection(words: int) -> Float32Array:
    """(buckets, words) random signs, the same always."""
    signs = np.random.default_rng(2009).integers(0, 2, size=(_BUCKETS, words)) * 2 - 1
    return np.asarray(signs / np.sqrt(words), dtype=np.float32)


def _nothing() -> PartSpan:
    return decompose("Nothing.")[0]
