"""A generated cohort with genes, age, sex and sites, small enough to train on in seconds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.cohort.cohort import Cohort, Provenance, Role
from core.cohort.endpoint import Endpoint
from core.cohort.genomics import Genomics, as_float32

GENES = 60


def make_cohort(n: int = 200, name: str = "one", seed: int = 0, prefix: str = "P", title: str = "TCGA-LIHC") -> Cohort:
    """Genes with a few common factors, as real expression has; a tenth of the patients lack them."""
    random = np.random.default_rng(seed)
    loadings = np.random.default_rng(99).normal(size=(6, GENES))
    factors = random.normal(size=(n, 6))
    values = as_float32(factors @ loadings / 2 + 0.6 * random.normal(size=(n, GENES)))
    log_hazard = 0.9 * factors[:, 0] - 0.5 * factors[:, 1]
    died, left = random.exponential(np.exp(3.4 - log_hazard)), random.uniform(20, 120, n)
    values[random.random(n) < 0.1] = np.nan
    patients = pd.DataFrame(
        {
            "age": random.normal(62, 10, n).round(),
            "sex": random.choice(["female", "male"], n),
            "site": random.choice(["A", "B", "B", "C"], n),
        },
        index=pd.Index([f"{prefix}{i:04d}" for i in range(n)], name="patient"),
    )
    genomics = Genomics(
        values,
        tuple(f"G{i}_rnaseq" for i in range(GENES)),
        {"rnaseq": "z-score"},
        {"first": tuple(range(30)), "second": tuple(range(25, GENES))},
    )
    nothing = np.zeros(n, dtype=bool)
    endpoint = Endpoint(
        "OS", "Overall survival", "diagnosis", np.zeros(n), np.minimum(died, left), died <= left, nothing
    )
    return Cohort(
        name=name,
        title=title,
        patients=patients,
        roles={"age": Role.INPUT, "sex": Role.INPUT, "site": Role.SITE},
        endpoints={"OS": endpoint},
        availability=pd.DataFrame(
            {"genomics": genomics.present, "clinical": np.ones(n, dtype=bool)}, index=patients.index
        ),
        provenance=Provenance("generated", {}, "", "1"),
        genomics=genomics,
        units={"age": "years"},
        synthetic=True,
    )
