"""BioFact-MoE: a liver and a tumour expert, taught apart by the sentences of the report."""
