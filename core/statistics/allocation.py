"""How a level's tokens are shared out among its experts: hard assignment and soft gate mass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import ArrayLike, FloatArray


@dataclass(frozen=True, eq=False)
class Allocation:
    """Shares of ``e`` experts; ``load`` (assignments) and ``mass`` (gate weight) each sum to 1."""

    load: FloatArray
    mass: FloatArray

    @property
    def entropy(self) -> float:
        """Entropy of the load over its largest possible value: 1 = all alike, 0 = one expert does everything."""
        if len(self.load) < 2:
            return 1.0
        used = self.load[self.load > 0]
        return float(-(used * np.log(used)).sum() / np.log(len(self.load)))

    @property
    def divergence(self) -> float:
        """Kullback-Leibler divergence of the load from an even share, in nats: 0 = all alike."""
        used = self.load[self.load > 0]
        return float((used * np.log(used * len(self.load))).sum())

    @property
    def ratio(self) -> float:
        """Most over least loaded; infinite where an expert is never used."""
        least = float(self.load.min())
        return float(self.load.max()) / least if least > 0 else float("inf")

    @property
    def unused(self) -> int:
        """Experts that no token was sent to."""
        return int((self.load == 0).sum())

    def ranked(self) -> Allocation:
        """The same experts from the most to the least used; experts of different models have no common order."""
        order = np.argsort(-self.load, kind="stable")
        return Allocation(self.load[order], self.mass[order])


def allocation(assigned: FloatArray, gate_mass: FloatArray) -> Allocation:
    """Shares over all patients and tokens.

    Parameters
    ----------
    assigned, gate_mass : (n, k, e) float arrays
        Assignment (0/1, or a share over arrangements) and gate weight of each token to each expert.
    """
    load = np.asarray(assigned, dtype=np.float64).sum(axis=(0, 1))
    mass = np.asarray(gate_mass, dtype=np.float64).sum(axis=(0, 1))
    if not load.sum() > 0 or not mass.sum() > 0:
        raise ValueError("no token was assigned to any expert")
    return Allocation(load / load.sum(), mass / mass.sum())


def shares_out_of_fold(load: ArrayLike, mass: ArrayLike) -> Allocation:
    """Shares from each patient's own (which sum to 1), NaN where a patient takes no part.

    Parameters
    ----------
    load, mass : (…, e) arrays of patients' shares
    """
    shares = []
    for values in (load, mass):
        flat = np.asarray(values, dtype=np.float64).reshape(-1, np.shape(values)[-1])
        kept = flat[np.isfinite(flat).all(axis=1)]
        if not len(kept):
            raise ValueError("no patient takes part")
        mean = kept.mean(axis=0)
        shares.append(mean / mean.sum())
    return Allocation(shares[0], shares[1])
