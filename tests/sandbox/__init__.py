"""Tests of the sandbox gateway."""
