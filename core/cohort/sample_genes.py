"""The gene half of the sample cohort: six families, twelve planted genes, everything else noise with structure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.arrays import FloatArray, StrArray
from core.cohort.genomics import Genomics, as_float32


def make_genes(
    spec: Mapping[str, Any], latents: Mapping[str, FloatArray], site: StrArray, rng: np.random.Generator
) -> tuple[Genomics, dict[str, str]]:
    """Gene table of ``n`` patients and the planted columns with the latent each of them carries."""
    law = spec["genes"]
    n = len(site)
    columns: list[str] = []
    blocks: list[FloatArray] = []
    families: dict[str, tuple[int, ...]] = {}
    planted: dict[str, str] = {}
    for family, size in law["families"].items():
        start = len(columns)
        carriers = _carriers(law["planted_per_family"], size["count"], rng)
        blocks.append(_rna(law, size["count"], carriers, latents, n, rng))
        names = [f"{size['prefix']}{i:02d}" for i in range(1, size["count"] + 1)]
        planted |= {f"{names[i]}_rnaseq": latent for i, latent in carriers.items()}
        columns += [f"{s}_rnaseq" for s in names]
        blocks.append(rng.choice([-2.0, -1.0, 0.0, 1.0, 2.0], (n, size["copy_numbers"]), p=law["copy_number_shares"]))
        columns += [f"{s}_cnv" for s in names[: size["copy_numbers"]]]
        blocks.append((rng.random((n, size["mutations"])) < law["mutation_share"]).astype(float))
        columns += [f"{s}_mut" for s in names[: size["mutations"]]]
        families[family] = tuple(range(start, len(columns)))
    values = np.concatenate(blocks, axis=1)
    rna = np.array([c.endswith("_rnaseq") for c in columns])
    values[:, rna] += _site_shift(site, int(rna.sum()), float(spec["site_gene_shift"]), rng)
    units = {"rnaseq": "z-score", "cnv": "copy-number call", "mut": "0/1"}
    return Genomics(as_float32(np.round(values, 4)), tuple(columns), units, families), planted


def _carriers(wanted: Mapping[str, int], count: int, rng: np.random.Generator) -> dict[int, str]:
    latents = [latent for latent, number in wanted.items() for _ in range(number)]
    places = rng.choice(count, size=len(latents), replace=False)
    return {int(place): latent for place, latent in zip(places, latents, strict=True)}


def _rna(
    law: Mapping[str, Any],
    count: int,
    carriers: Mapping[int, str],
    latents: Mapping[str, FloatArray],
    n: int,
    rng: np.random.Generator,
) -> FloatArray:
    """(n, count) z-scores: a factor shared by the family, and the latent where a gene is planted."""
    loading = rng.uniform(0, 2 * law["family_factor_loading"], count)
    values = loading * rng.standard_normal((n, 1)) + np.sqrt(1 - np.minimum(loading, 0.95) ** 2) * rng.standard_normal(
        (n, count)
    )
    for place, latent in carriers.items():
        strength = law["planted_loading"]
        values[:, place] = strength * latents[latent] + np.sqrt(1 - strength**2) * rng.standard_normal(n)
    return np.asarray(values)


def _site_shift(site: StrArray, count: int, strength: float, rng: np.random.Generator) -> FloatArray:
    """(n, count) a batch effect: each site measures every gene a little differently."""
    names, number = np.unique(site.astype(str), return_inverse=True)
    return np.asarray(strength * rng.standard_normal((len(names), count))[number])
