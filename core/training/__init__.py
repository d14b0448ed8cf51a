"""Losses, bins, fitting, cross-validation and prediction."""
