"""Blood groups and donors: nothing here yet but the module in ``kernel.people``."""
