"""Survival models and baselines behind one registry."""
