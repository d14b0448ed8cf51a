"""The estimators a neural model has to beat."""
