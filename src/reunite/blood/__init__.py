"""Rare blood: types, how they are written, who may give to whom, and who is asked."""
