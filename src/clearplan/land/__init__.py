"""HAZARDS to AREAS: what is contaminated, what is released, what remains."""
