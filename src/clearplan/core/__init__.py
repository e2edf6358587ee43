"""What every module may use: errors, coordinate systems, checks of single values, files written whole or not at all."""
