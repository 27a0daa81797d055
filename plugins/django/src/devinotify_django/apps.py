"""The application, for ``INSTALLED_APPS``."""

from __future__ import annotations

from django.apps import AppConfig


class DevinotifyConfig(AppConfig):
    """Registers the checks."""

    name = "devinotify_django"
    label = "devinotify"
    verbose_name = "SMS"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the checks known."""
        from devinotify_django import checks  # noqa: F401 - registered as it is imported
