"""Contamination mapping and clearance planning for mine action.

The public names stand in ``__init__.pyi``. Each is loaded when it is first used: ``import clearplan`` does no work.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
