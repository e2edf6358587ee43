"""The version of clearplan, which stands in every fingerprint."""

__version__ = "0.1.0"
