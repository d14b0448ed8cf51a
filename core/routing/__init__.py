"""What a trained mixture did: its gates, its experts' embeddings, and what they are associated with."""
