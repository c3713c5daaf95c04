"""The process that does what must happen later."""
