"""Fakes and factories for tests, shipped so that extensions can use them."""
