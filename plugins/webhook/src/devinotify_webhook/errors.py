"""What goes wrong with a configuration, a body, and a message that is not stored.

::

    DevinotifyError
    ├── ConfigError     the configuration is wrong; the message names the place, and shows no secret
    ├── NotUnderstood   a body that cannot be understood: 400, and whoever posted it should not post it again
    └── NotStored       something could not be stored: 503, and whoever posted it should post it again
"""

from __future__ import annotations

from devinotify import DevinotifyError, InvalidInput, Verdict


class ConfigError(InvalidInput):
    """The configuration is wrong; the message names the place, and shows no secret."""


class NotUnderstood(InvalidInput):
    """A body that cannot be understood; the message says what is wrong with it, and shows nothing of it."""


class NotStored(DevinotifyError):
    """Something could not be stored, so nobody has taken it over: to be posted again."""

    default_verdict = Verdict.NOT_SENT
    default_retryable = True
