"""A Django project for the tests: its settings, its URLs and its views."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, JsonResponse
from django.urls import path

from devinotify_django import asend_sms, enqueue_sms, send_code

NUMBER = "+79161234567"
URL = "devino://login:password@SENDER?gateway=http://127.0.0.1:9/rest"

SETTINGS: dict[str, Any] = {
    "SECRET_KEY": "not a secret",
    "ALLOWED_HOSTS": ["*"],
    "ROOT_URLCONF": __name__,
    "USE_TZ": True,
    "INSTALLED_APPS": [
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "devinotify_django",
    ],
    "MIDDLEWARE": ["devinotify_django.addresses.AddressMiddleware"],
    "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    "DEVINOTIFY": {"default": {"URL": URL}},
}


def order(request: Any) -> HttpResponse:
    """Enqueue a message, and fail where that is asked for."""
    enqueue_sms("Thank you", NUMBER)
    if "fail" in request.GET:
        raise RuntimeError("rolled back")
    return HttpResponse("ordered")


def code(request: Any) -> HttpResponse:
    """Send a one-time code."""
    send_code("482913", request.GET["to"])
    return HttpResponse("on its way")


async def remind(request: Any) -> JsonResponse:
    """Send from an async view."""
    outcomes = await asend_sms("See you at 9", NUMBER)
    return JsonResponse({"verdicts": [outcome.verdict for outcome in outcomes]})


urlpatterns = [path("order", order), path("code", code), path("remind", remind)]
