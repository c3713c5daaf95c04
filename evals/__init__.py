"""Measurements of how well Reunite does its job; never part of the product."""
