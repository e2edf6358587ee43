"""The stages in their order, and the folder of a run."""
