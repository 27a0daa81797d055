"""The 14 operations as a table: method, path, parameters, and what a missing one is answered with. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify.sandbox.replies import NULL_DATE, missing

if TYPE_CHECKING:
    from collections.abc import Mapping


class Action(Enum):
    """What an operation does, whatever its recipients and its channel."""

    LOGIN = "login"
    BALANCE = "balance"
    SEND_SMS = "send_sms"
    SEND_VIBER = "send_viber"
    SMS_STATE = "sms_state"
    VIBER_STATE = "viber_state"
    INCOMING = "incoming"
    STATISTICS = "statistics"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its name, and the Code and Desc that its absence is answered with (``None``: optional)."""

    name: str
    code: int | None = 1
    description: str = ""

    @property
    def absence(self) -> str:
        """The Desc for its absence."""
        return self.description or missing(self.name)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API.

    ``bulk``: many recipients, from DestinationAddresses. ``local_time``: SendDate is the recipient's wall
    clock. ``resends``: failed Viber goes on as SMS.
    """

    name: str
    action: Action
    methods: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    bulk: bool = False
    local_time: bool = False
    resends: bool = False

    @property
    def recipients(self) -> str:
        """The name of the parameter that holds the recipient or recipients."""
        return "DestinationAddresses" if self.bulk else "DestinationAddress"


GET = ("GET", "POST")
"""Reads are documented as GET; a form sent by POST is taken as well, since nothing is lost by it."""
POST = ("POST",)
"""Sends are taken by POST alone, as documented: a GET may be prefetched or repeated by what lies between."""

SESSION = Parameter("SessionID")


def _optional(name: str) -> Parameter:
    return Parameter(name, code=None)


def _sms(name: str, *, bulk: bool, local_time: bool) -> Operation:
    recipients = Parameter("DestinationAddresses" if bulk else "DestinationAddress")
    date = Parameter("SendDate") if local_time else _optional("SendDate")
    parameters = (SESSION, recipients, Parameter("Data"), Parameter("SourceAddress"), date, _optional("Validity"))
    return Operation(name, Action.SEND_SMS, POST, parameters, bulk=bulk, local_time=local_time)


def _viber(name: str, *, bulk: bool, resends: bool) -> Operation:
    parameters = (
        SESSION,
        Parameter("DestinationAddresses" if bulk else "DestinationAddress", 1, "error-address-not-specified"),
        Parameter("Data", 1, "error-content-not-specified"),
        Parameter("SourceAddress", 1, "error-subject-not-specified"),
        _optional("Validity"),
        _optional("Optionals" if bulk else "Optional"),
    )
    return Operation(name, Action.SEND_VIBER, POST, parameters, bulk=bulk, resends=resends)


_STATE = (SESSION, Parameter("MessageID"))

LOGIN = "User/SessionID"
"""The one operation that needs no session."""

OPERATIONS: tuple[Operation, ...] = (
    Operation(LOGIN, Action.LOGIN, GET, (Parameter("Login"), Parameter("Password"))),
    Operation("User/Balance", Action.BALANCE, GET, (SESSION,)),
    _sms("Sms/Send", bulk=False, local_time=False),
    _sms("Sms/SendByTimeZone", bulk=False, local_time=True),
    _sms("Sms/SendBulk", bulk=True, local_time=False),
    _sms("Sms/SendByTimeZoneToAddresses", bulk=True, local_time=True),
    Operation("Sms/State", Action.SMS_STATE, GET, _STATE),
    Operation(
        "Sms/In",
        Action.INCOMING,
        GET,
        (
            Parameter("maxDateUTC", 9, NULL_DATE.format(parameter="maxDateUtc")),
            SESSION,
            _optional("minDateUTC"),
        ),
    ),
    Operation(
        "Sms/Statistics", Action.STATISTICS, GET, (SESSION, Parameter("startDateTime"), Parameter("endDateTime"))
    ),
    _viber("Viber/Send", bulk=False, resends=False),
    _viber("Viber/SendBulk", bulk=True, resends=False),
    _viber("Viber/SendWithResend", bulk=False, resends=True),
    _viber("Viber/SendWithResendBulk", bulk=True, resends=True),
    Operation("Viber/State", Action.VIBER_STATE, GET, _STATE),
)

BY_PATH: Mapping[str, Operation] = MappingProxyType({op.name.lower(): op for op in OPERATIONS})
"""Path below the base URL, in lower case -> operation."""

SECRETS = frozenset({"login", "password", "sessionid"})
"""Parameters, in lower case, whose values are kept nowhere."""


def find(path: str, base: str = "rest") -> Operation | None:
    """Return the operation at a path, in any case, with slashes doubled or trailing; ``None`` for no such resource."""
    root, _, resource = "/".join(filter(None, path.lower().split("/"))).partition("/")
    return BY_PATH.get(resource) if root == base else None
