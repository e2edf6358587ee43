"""What a team carries: GPX, KMZ, dossiers."""
