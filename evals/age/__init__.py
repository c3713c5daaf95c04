"""Estimated ages against true ones: ``python -m evals.age --data DIR --json``."""
