"""``python -m clearplan``."""

from .cli import main

main()
