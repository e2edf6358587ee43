"""The treaty clock and the tables to file."""
