"""The outbox in a PostgreSQL database: SQL, a connection, and heartbeats."""
