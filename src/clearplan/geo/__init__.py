"""Geometry, grids and coordinates; knows no table."""
