"""Evidence to the share of ground that is contaminated, learned and evaluated."""
