"""SMS and Viber from Prefect's automations and flows, by devinotify.

>>> from devinotify_prefect import DevinoNotification
>>> DevinoNotification(url="devino://login:password@SENDER", to="+79161234567").save("on-call")
"""

from __future__ import annotations

from devinotify_prefect.block import DevinoNotification

__all__ = ["DevinoNotification"]
