"""Minefield record forms to HAZARDS with honest errors."""
