"""The declared columns of every table, and what is checked and read from the declaration."""
