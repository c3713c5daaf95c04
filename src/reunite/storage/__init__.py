"""PostgreSQL, its embedded server, and the photo store."""
