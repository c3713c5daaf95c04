"""Run the migrations on the connection that ``storage.migrate`` holds."""

from alembic import context

from reunite.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)

with context.begin_transaction():
    context.run_migrations()
