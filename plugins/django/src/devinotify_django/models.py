"""What the admin and its permissions know the outbox by; it has no table, the outbox is where ``DEVINOTIFY`` says."""

from __future__ import annotations

from django.db import models


class OutboxRow(models.Model):
    """One message to one recipient, as the admin lists it."""

    class Meta:
        """No table, and permissions of its own."""

        managed = False
        default_permissions: tuple[str, ...] = ("view",)
        permissions: tuple[tuple[str, str], ...] = (
            ("view_full_outboxrow", "Can see numbers and texts in full"),
            ("retry_outboxrow", "Can send a message again"),
        )
        verbose_name = "SMS"
        verbose_name_plural = "SMS"
