"""Evidence to the probability of contamination, learned and evaluated."""
