"""AREAS and ZONES to TASKS, and ranks that explain themselves."""
