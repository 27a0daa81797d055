"""An adapter of allauth's as a project writes it: the numbers are kept here, the sending is the mixin's."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth import get_user_model

from devinotify_django.allauth import PhoneAdapterMixin


class Adapter(PhoneAdapterMixin, DefaultAccountAdapter):
    """Keeps numbers in memory, by the user's id."""

    phones: ClassVar[dict[int, tuple[str, bool]]] = {}

    def set_phone(self, user: Any, phone: str, verified: bool) -> None:
        """Keep a number."""
        self.phones[user.pk] = (phone, verified)

    def get_phone(self, user: Any) -> tuple[str, bool] | None:
        """Return a user's number, and whether it is verified."""
        return self.phones.get(user.pk)

    def set_phone_verified(self, user: Any, phone: str) -> None:
        """Note that a number is verified."""
        self.set_phone(user, phone, verified=True)

    def get_user_by_phone(self, phone: str) -> Any:
        """Return whose number it is."""
        for number, (kept, _) in self.phones.items():
            if kept == phone:
                return get_user_model().objects.filter(pk=number).first()
        return None
