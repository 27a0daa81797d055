"""What is wrong with how the command is set up: what the host's operator is told."""

from __future__ import annotations


class SetupError(Exception):
    """Something that was written down for the host is wrong or missing; it names that, and no secret, number or text.

    Nothing was stored, and nothing was sent.
    """
