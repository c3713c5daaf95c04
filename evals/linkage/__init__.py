"""How well records of one person are found on two sides: ``python -m evals.linkage``."""
