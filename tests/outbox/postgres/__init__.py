"""The outbox in PostgreSQL: what is its own."""
