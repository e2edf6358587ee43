"""Maps on paper, true to scale."""
