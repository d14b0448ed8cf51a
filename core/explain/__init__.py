"""Explanations: what in a patient's inputs moved the estimate, where the model looked, and how far to trust that."""
