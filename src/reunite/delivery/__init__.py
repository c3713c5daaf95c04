"""Channels that reach people, one a file."""
