"""``python -m clearplan``."""

from clearplan.cli.app import main

main()
