"""Tests of what is SQLite's alone."""
