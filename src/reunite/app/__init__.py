"""Use cases, one a file: the listing is the feature list."""
