"""The command ``reunite``."""
