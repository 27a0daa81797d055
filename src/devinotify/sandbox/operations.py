"""The 14 operations as a table: method, path, parameters, and what a missing one is answered with. Pure.

The same stand below ``/rest/v2``, but for the login: there each call brings Login and Password in place of a
session's id.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    clock. ``resends``: failed Viber goes on as SMS. ``v2``: it is the one below ``/rest/v2``.
    """

    name: str
    action: Action
    methods: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    bulk: bool = False
    local_time: bool = False
    resends: bool = False
    v2: bool = False

    @property
    def path(self) -> str:
        """Its path as the documents spell it."""
        return f"/{V2_BASE if self.v2 else BASE}/{self.name}"

    @property
    def in_session(self) -> bool:
        """Whether it is called within a session."""
        return SESSION in self.parameters

    @property
    def recipients(self) -> str:
        """The name of the parameter that holds the recipient or recipients."""
        return "DestinationAddresses" if self.bulk else "DestinationAddress"


GET = ("GET", "POST")
"""Reads are documented as GET; a form sent by POST is taken as well, since nothing is lost by it."""
POST = ("POST",)
"""Sends are taken by POST alone, as documented: a GET may be prefetched or repeated by what lies between."""

BASE = "rest"
V2_BASE = "rest/v2"

SESSION = Parameter("SessionID")
ACCOUNT = (Parameter("Login"), Parameter("Password"))

LISTS = frozenset({"DestinationAddresses", "Optionals", "Optional"})
"""The parameters that may have several values."""


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
        # In a bulk, one for each recipient: the documents have called the list by either name.
        *((_optional("Optionals"),) if bulk else ()),
        _optional("Optional"),
    )
    return Operation(name, Action.SEND_VIBER, POST, parameters, bulk=bulk, resends=resends)


_STATE = (SESSION, Parameter("MessageID"))

LOGIN = "User/SessionID"
"""The one operation that needs no session, and that ``/rest/v2`` lacks."""

OPERATIONS: tuple[Operation, ...] = (
    Operation(LOGIN, Action.LOGIN, GET, ACCOUNT),
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


def _in_v2(operation: Operation) -> Operation:
    at = operation.parameters.index(SESSION)
    parameters = (*operation.parameters[:at], *ACCOUNT, *operation.parameters[at + 1 :])
    return replace(operation, parameters=parameters, v2=True)


V2_OPERATIONS = tuple(_in_v2(operation) for operation in OPERATIONS if operation.in_session)
"""The same but the login, as they stand below ``/rest/v2``."""

BY_PATH: Mapping[str, Operation] = MappingProxyType({op.path.lower(): op for op in (*OPERATIONS, *V2_OPERATIONS)})
"""Path in lower case -> operation."""

SECRETS = frozenset({"login", "password", "sessionid"})
"""Parameters, in lower case, whose values are kept nowhere."""


def find(path: str) -> Operation | None:
    """Return the operation at a path, in any case, with slashes doubled or trailing; ``None`` for no such resource."""
    return BY_PATH.get("/" + "/".join(filter(None, path.lower().split("/"))))
