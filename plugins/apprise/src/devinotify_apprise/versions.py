"""What differs between the versions of Apprise, each told by what there is in it and not by a number."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import apprise
from apprise import NotifyBase

if TYPE_CHECKING:
    from collections.abc import Mapping

RETRIES = hasattr(NotifyBase, "service_retry")
"""Whether it repeats a notification that failed, by ``retry`` and ``wait``."""
REMEMBERS = hasattr(NotifyBase, "recall")
"""Whether it keeps by itself what the attempts of one notification have in common."""
SEVERAL_FORMATS = hasattr(NotifyBase, "resolve_format")
"""Whether a plugin may name several formats, and gets the text as it is; before, it is converted, all but Markdown."""
OWN_REFUSAL = hasattr(apprise.exception, "AppriseImproperlyConfigured")
"""Whether it has an error of its own for a plugin that cannot be made; before, that is a TypeError as such."""

SINCE: Mapping[str, tuple[tuple[int, int], bool]] = MappingProxyType(
    {
        "retries": ((1, 11), RETRIES),
        "remembers": ((2, 0), REMEMBERS),
        "several formats": ((2, 0), SEVERAL_FORMATS),
        "own refusal": ((2, 0), OWN_REFUSAL),
    }
)
"""What differs -> the version since which it is there, and whether it is there in this one. A test compares.

So 1.9, 1.11 to 1.13 and 2.x stand for all that are supported, and tests that meet any of this are marked ``versions``.
"""

Refusal: type[Exception] = apprise.exception.AppriseImproperlyConfigured if OWN_REFUSAL else TypeError
"""What Apprise expects a plugin to raise that cannot be made; always a TypeError as well."""
