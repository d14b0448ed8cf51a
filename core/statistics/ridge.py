"""Ridge prediction as one fixed linear map from training values to test values."""

from __future__ import annotations

import numpy as np

from core.arrays import ArrayLike, FloatArray


def ridge_map(train: ArrayLike, test: ArrayLike, degrees: float) -> FloatArray:
    """(t, n) matrix H with ŷ_test = H · y_train for ridge regression with an intercept.

    The penalty is set so that the fit has ``degrees`` effective degrees of freedom beside the intercept, whatever is
    predicted: chosen without looking at y, so that a permutation of y meets the same map.

    Parameters
    ----------
    train, test : (n, d) and (t, d) arrays
        Predictors; columns are standardised by the training rows, constant columns are left out.
    degrees : float
        Effective degrees of freedom, below the rank of ``train``.
    """
    x, z = np.asarray(train, dtype=np.float64), np.asarray(test, dtype=np.float64)
    mean, spread = x.mean(axis=0), x.std(axis=0)
    use = spread > 1e-12 * np.maximum(np.abs(mean), 1e-12)
    x, z = (x[:, use] - mean[use]) / spread[use], (z[:, use] - mean[use]) / spread[use]
    n = len(x)
    average = np.full((len(z), n), 1.0 / n)
    if not x.shape[1]:
        return average
    u, singular, vt = np.linalg.svd(x, full_matrices=False)
    penalty = _penalty(singular**2, min(degrees, 0.95 * np.count_nonzero(singular > 1e-9 * singular[0])))
    shrunk = singular / (singular**2 + penalty)
    centred = u.T - (u.T @ np.full((n, 1), 1.0 / n))
    return np.asarray(average + (z @ vt.T * shrunk) @ centred)


def _penalty(squares: FloatArray, degrees: float) -> float:
    """λ with Σ s²/(s² + λ) = degrees, by bisection on a logarithmic scale."""
    low, high = -20.0, 40.0
    for _ in range(80):
        middle = (low + high) / 2
        if (squares / (squares + np.exp(middle))).sum() > degrees:
            low = middle
        else:
            high = middle
    return float(np.exp(low))
