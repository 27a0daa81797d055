"""Campaigns: many recipients, fast, resumable, accounted for to the last one.

>>> from devinotify.bulk import Campaign
"""

from __future__ import annotations

from devinotify.bulk.campaign import Campaign
from devinotify.bulk.journal import Journal
from devinotify.bulk.plan import Plan
from devinotify.bulk.progress import Progress, Result
from devinotify.bulk.sending import End, Sent
from devinotify.bulk.tally import Category, Tally
from devinotify.delivery.rate_limit import Speed
from devinotify.window import Window

__all__ = ["Campaign", "Category", "End", "Journal", "Plan", "Progress", "Result", "Sent", "Speed", "Tally", "Window"]
