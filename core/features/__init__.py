"""From a cohort to tensors; everything that learns from data learns from the training fold alone."""
