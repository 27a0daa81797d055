"""The table of operations against the API's own lists."""

from __future__ import annotations

from devinotify.sandbox.operations import BY_PATH, OPERATIONS, V2_OPERATIONS, Operation, find
from tests.tables import table

DOCUMENTED = {
    "User/SessionID": "Login Password",
    "User/Balance": "SessionID",
    "Sms/Send": "SessionID DestinationAddress Data SourceAddress",
    "Sms/SendByTimeZone": "SessionID DestinationAddress Data SourceAddress SendDate",
    "Sms/SendBulk": "SessionID DestinationAddresses Data SourceAddress",
    "Sms/SendByTimeZoneToAddresses": "SessionID DestinationAddresses Data SourceAddress SendDate",
    "Sms/State": "SessionID MessageID",
    "Sms/In": "SessionID maxDateUTC",
    "Sms/Statistics": "SessionID startDateTime endDateTime",
    "Viber/Send": "SessionID DestinationAddress Data SourceAddress",
    "Viber/SendBulk": "SessionID DestinationAddresses Data SourceAddress",
    "Viber/SendWithResend": "SessionID DestinationAddress Data SourceAddress",
    "Viber/SendWithResendBulk": "SessionID DestinationAddresses Data SourceAddress",
    "Viber/State": "SessionID MessageID",
}


def test_the_14_operations_and_what_they_require() -> None:
    """There are the 14 documented operations, each with its required parameters."""
    required = {
        operation.name: {parameter.name for parameter in operation.parameters if parameter.code is not None}
        for operation in OPERATIONS
    }
    assert {name: set(names.split()) for name, names in DOCUMENTED.items()} == required


@table("operation", OPERATIONS)
def test_paths_in_any_case_and_with_any_slashes(operation: Operation) -> None:
    """A path is found in any case, with doubled and with trailing slashes."""
    spellings = [
        f"/rest/{operation.name}",
        f"/REST/{operation.name.upper()}/",
        f"//rest//{operation.name.lower().replace('/', '//')}//",
    ]
    assert [operation] * 3 == [find(path) for path in spellings]


@table(
    "path",
    [
        "",
        "/",
        "/rest",
        "/rest/",
        "/Sms/Send",
        "/rest/v2/User/SessionID",
        "/rest/v3/Sms/Send",
        "/v2/Sms/Send",
        "/rest/Sms/Send/1",
        "/x/Sms/Send",
    ],
)
def test_other_paths_are_none(path: str) -> None:
    """What is not below /rest, or not in the table, is not an operation."""
    assert find(path) is None


def test_sends_are_post_alone() -> None:
    """No operation that sends takes GET."""
    methods = {operation.name: operation.methods for operation in BY_PATH.values() if "Send" in operation.name}
    assert {("POST",)} == set(methods.values())


def test_v2_has_all_but_the_login() -> None:
    """Below /rest/v2 stand the other 13, which ask for login and password in place of a session's id."""
    required = {
        operation.name: {parameter.name for parameter in operation.parameters if parameter.code is not None}
        for operation in V2_OPERATIONS
    }
    expected = {name: set(names.split()) - {"SessionID"} | {"Login", "Password"} for name, names in DOCUMENTED.items()}
    del expected["User/SessionID"]
    assert expected == required


@table("operation", V2_OPERATIONS)
def test_v2_paths(operation: Operation) -> None:
    """A path below /rest/v2 is found as leniently as one below /rest, and is another operation."""
    assert [operation] * 2 == [find(f"/rest/v2/{operation.name}"), find(f"/REST//V2/{operation.name.upper()}/")]
    assert operation != find(f"/rest/{operation.name}")
