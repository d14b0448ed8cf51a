"""HDMoE: hierarchical decoupling-fusion mixture of experts (arXiv 2605.20891)."""
