"""Age progression against its bars: ``python -m evals.aging --data DIR --json``."""
