"""Alembic's way in: the same tables, the URL handed over by ``emergency.store.migrating``."""

from alembic import context
from sqlalchemy import create_engine

from emergency.store.migrating import METADATA

url = context.config.get_main_option("sqlalchemy.url")
engine = create_engine(url)
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
