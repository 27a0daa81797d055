"""The outbox in one SQLite file: SQL, files, forks and locks."""
