"""Rule sets of deferral, a file each; ``deferral.load_rules`` reads them."""
