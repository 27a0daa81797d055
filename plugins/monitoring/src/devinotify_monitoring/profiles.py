"""The hosts as a table: how each tells its notifications, and whether a worker sends them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify.translation import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

_COMMON: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "kind": ("NOTIFICATIONTYPE",),
        "host": ("HOSTNAME",),
        "service": ("SERVICEDESC",),
        "host_state": ("HOSTSTATE",),
        "service_state": ("SERVICESTATE",),
        "host_output": ("HOSTOUTPUT",),
        "service_output": ("SERVICEOUTPUT",),
        "author": ("NOTIFICATIONAUTHOR",),
        "comment": ("NOTIFICATIONCOMMENT",),
        "recipient": ("CONTACTPAGER",),
        "host_number": ("HOSTNOTIFICATIONNUMBER",),
        "service_number": ("SERVICENOTIFICATIONNUMBER",),
        "host_since": ("LASTHOSTSTATECHANGE",),
        "service_since": ("LASTSERVICESTATECHANGE",),
        "time": ("MICROTIME", "TIMET"),
    }
)
"""What is read -> the names of Nagios, which Checkmk has kept; the first that is set counts."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How a host tells a notification.

    ``prefix`` stands before its variables in the environment, ``fields`` are their names, and none where it gives
    arguments alone. ``recipient`` and ``missing`` are what its operator is told, translated where it is said: where
    the host keeps the number, and why it may have told nothing. ``enqueues``: a worker sends, since the host kills what
    takes long and waits meanwhile.
    """

    name: str
    prefix: str
    fields: Mapping[str, tuple[str, ...]]
    recipient: str
    missing: str
    enqueues: bool


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        each.name: each
        for each in (
            Profile(
                name="zabbix",
                prefix="",
                fields=MappingProxyType({}),
                recipient=N_("Send to, in the media of the user"),
                missing=N_("the script takes three parameters: {ALERT.SENDTO}, {ALERT.SUBJECT} and {ALERT.MESSAGE}"),
                enqueues=False,
            ),
            Profile(
                name="checkmk",
                prefix="NOTIFY_",
                fields=_COMMON,
                recipient=N_("Pager address, of the user"),
                missing=N_("Checkmk gives them to what lies in local/share/check_mk/notifications"),
                enqueues=False,
            ),
            Profile(
                name="nagios",
                prefix="NAGIOS_",
                fields=_COMMON,
                recipient=N_("pager, of the contact"),
                missing=N_(
                    "set enable_environment_macros=1 in nagios.cfg, or give the macros as arguments, NAME='$NAME$'"
                ),
                enqueues=True,
            ),
            Profile(
                name="icinga",
                prefix="",
                fields=MappingProxyType(
                    {
                        **_COMMON,
                        "host": ("HOSTDISPLAYNAME", "HOSTNAME", "HOSTALIAS"),
                        "service": ("SERVICEDISPLAYNAME", "SERVICENAME", "SERVICEDESC"),
                        "author": ("NOTIFICATIONAUTHORNAME",),
                        "recipient": ("USERPAGER",),
                        "host_number": ("NOTIFICATIONNUMBER",),
                        "service_number": ("NOTIFICATIONNUMBER",),
                        "host_since": ("LASTSTATECHANGE",),
                        "service_since": ("LASTSTATECHANGE",),
                        "time": ("TIMET",),
                    }
                ),
                recipient=N_("pager, of the User"),
                missing=N_("they are set by env of the NotificationCommand"),
                enqueues=True,
            ),
        )
    }
)
"""Every host by its name."""
