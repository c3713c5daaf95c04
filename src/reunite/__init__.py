"""Reunite brings lost people home."""
