"""Every setting, a module for each group of sections of plan.toml."""
