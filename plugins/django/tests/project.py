"""A Django project for the tests: its settings, its URLs and its views."""

from __future__ import annotations

from typing import Any

import django
from django.http import HttpResponse, JsonResponse
from django.urls import include, path

from devinotify_django import asend_sms, enqueue_sms, send_code

NUMBER = "+79161234567"
URL = "devino://login:password@SENDER?gateway=http://127.0.0.1:9/rest"
IMMEDIATE = f"django{'.' if django.VERSION >= (6,) else '_'}tasks.backends.immediate.ImmediateBackend"
"""The backend of tasks that runs them at once, Django's own or that of its backport."""

SETTINGS: dict[str, Any] = {
    "SECRET_KEY": "not a secret, but as long as it has to be",
    "ALLOWED_HOSTS": ["*"],
    "ROOT_URLCONF": __name__,
    "USE_TZ": True,
    "SITE_ID": 1,
    "STATIC_URL": "/static/",
    "INSTALLED_APPS": [
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "django.contrib.staticfiles",
        "allauth",
        "allauth.account",
        "django_otp",
        "django_otp.plugins.otp_static",
        "django_otp.plugins.otp_totp",
        "phone_verify",
        "rest_framework",
        "two_factor",
        "two_factor.plugins.phonenumber",
        "devinotify_django",
    ],
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django_otp.middleware.OTPMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "allauth.account.middleware.AccountMiddleware",
        "devinotify_django.addresses.AddressMiddleware",
    ],
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    "AUTHENTICATION_BACKENDS": [
        "django.contrib.auth.backends.ModelBackend",
        "allauth.account.auth_backends.AuthenticationBackend",
    ],
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],  # quick
    "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    "DEVINOTIFY": {"default": {"URL": URL}},
    "TASKS": {"default": {"BACKEND": IMMEDIATE}},
    # The hosts.
    "SMS_BACKEND": "devinotify_django.sms.SmsBackend",
    "SENDSMS_BACKEND": "devinotify_django.sendsms.SmsBackend",
    "TWO_FACTOR_SMS_GATEWAY": "devinotify_django.two_factor.Gateway",
    "TWO_FACTOR_PATCH_ADMIN": False,  # the admin keeps its own page to log in
    "LOGIN_REDIRECT_URL": "/order",
    "ACCOUNT_ADAPTER": "tests.adapters.Adapter",
    "ACCOUNT_LOGIN_METHODS": {"phone"},
    "ACCOUNT_SIGNUP_FIELDS": ["phone*", "password1*"],
    "ACCOUNT_RATE_LIMITS": False,
    "PHONE_VERIFICATION": {
        "BACKEND": "devinotify_django.phone_verify.Backend",
        "OPTIONS": {},
        "TOKEN_LENGTH": 6,
        "MESSAGE": "{security_code} is the code of {app}",
        "APP_NAME": "the shop",
        "SECURITY_CODE_EXPIRATION_SECONDS": 3600,
        "VERIFY_SECURITY_CODE_ONLY_ONCE": True,
    },
}


def order(request: Any) -> HttpResponse:
    """Enqueue a message, and fail where that is asked for; what it has rows of is in the request's transaction."""
    enqueued = enqueue_sms("Thank you", NUMBER)
    if "fail" in request.GET:
        raise RuntimeError("rolled back")
    return HttpResponse(f"ordered, {len(enqueued.rows)} stored")


def code(request: Any) -> HttpResponse:
    """Send a one-time code."""
    send_code("482913", request.GET["to"])
    return HttpResponse("on its way")


async def remind(request: Any) -> JsonResponse:
    """Send from an async view."""
    outcomes = await asend_sms("See you at 9", NUMBER)
    return JsonResponse({"verdicts": [outcome.verdict for outcome in outcomes]})


def urls() -> list[Any]:
    """Return all URLs, those of the hosts too; not before Django is set up."""
    from django.contrib import admin
    from two_factor.urls import urlpatterns as of_two_factor

    return [
        path("order", order),
        path("code", code),
        path("remind", remind),
        path("accounts/", include("allauth.urls")),
        path("verify/", include("phone_verify.urls")),
        path("", include(of_two_factor)),
        path("admin/", admin.site.urls),
    ]


def __getattr__(name: str) -> Any:
    if name == "urlpatterns":
        return urls()
    raise AttributeError(name)
