"""Tests of the durable outbox."""
