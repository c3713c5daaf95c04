"""Other registries: PFIF, CAP and station spreadsheets."""
