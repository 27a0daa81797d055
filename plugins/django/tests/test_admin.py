"""The outbox in the admin: what is listed, who sees what, and what sending again asks first."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

import pytest
from devinotify import RowState, Verdict
from devinotify.sandbox import Sandbox
from django.conf import settings
from django.contrib.admin import AdminSite, site
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from devinotify_django import admin, codes, get_notifier, notifiers, send_code
from devinotify_django.models import OutboxRow
from tests.project import NUMBER, URL
from tests.test_commands import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify import Enqueued

    from tests import postgres

LIST, RETRY = "/admin/devinotify/outboxrow/", "/admin/devinotify/outboxrow/retry/"
OTHER = "+79161234568"

pytestmark = pytest.mark.usefixtures("configure", "database")


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.once)], autouse=True)
def server_of_outbox(request: pytest.FixtureRequest, configure: Callable[..., None]) -> postgres.Server | None:
    """Have the outbox in a file (``None``), and in a database of its server."""
    if request.param == "file":
        return None
    server: postgres.Server = request.getfixturevalue("server")
    configure(OUTBOX=server.url)
    outbox = notifiers.outbox()
    outbox.forget(list(outbox))
    return server


@pytest.fixture(autouse=True)
def _no_balance_is_kept() -> None:
    """Ask for the balance anew."""
    cache.clear()


def client_of(*permissions: str) -> Client:
    """Return a client of somebody of the staff with these permissions."""
    user = get_user_model().objects.create_user("bob", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def boss() -> Client:
    """A client of somebody who may do everything."""
    return client_of("view_outboxrow", "view_full_outboxrow", "retry_outboxrow")


def enqueue(text: str, to: str, channel: str | None = None) -> Enqueued:
    """Store a message at once: the tests are within a transaction that is rolled back."""
    return get_notifier().enqueue(text, to, channel=channel)


def page(client: Client, where: str = LIST, **query: Any) -> str:
    """Return a page."""
    answer = client.get(where, query)
    assert 200 == answer.status_code
    text: str = answer.content.decode()
    return text


def unknown(gateway: Sandbox, to: str = NUMBER) -> int:
    """Return the row of a message whose answer was lost."""
    fault = gateway.add_fault("drop", number=to)
    (number,) = enqueue("Hello", to).rows.values()
    with pytest.raises(CommandError, match="not everything went out"):
        run("devinotify_worker", "--once")
    gateway.remove_fault(fault)
    return number


def state(number: int) -> RowState | None:
    """Return the state of a row."""
    row = notifiers.outbox().get(number)
    return None if row is None else row.state


def test_lists_what_there_is(gateway: Sandbox) -> None:
    """State, segments and masked number of each message are there, the newest first, with counts and balance."""
    enqueue("Hello", NUMBER)
    run("devinotify_worker", "--once")
    enqueue("Secret words", OTHER)
    shown = page(client_of("view_outboxrow"))
    assert 0 < shown.index("+7916***4568") < shown.index("+7916***4567")
    assert all(words in shown for words in ("1 accepted", "1 queued", "99997.50"))
    assert not any(secret in shown for secret in (NUMBER, OTHER, "Secret words", "Choose"))


def cells(shown: str) -> list[dict[str, str]]:
    """Return the rows of a list: what stands in each column that has something."""
    table = shown.partition('id="result_list"')[2].partition("</table>")[0]
    head, *rows = re.findall("(?s)<tr>(.*?)</tr>", table)

    def texts(row: str) -> list[str]:
        return [re.sub("<[^>]*>", "", each).strip() for each in re.findall("(?s)<t[hd].*?>(.*?)</t[hd]>", row)]

    return [{name: text for name, text in zip(texts(head), texts(row), strict=True) if text} for row in rows]


def test_cells_of_a_row(gateway: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row has its state, and what it has cost; one that waits has cost nothing yet."""
    gateway.set_timeline("delivered", sms=[(0, 0)])
    monkeypatch.setattr(notifiers.outbox(), "_poll", 0.0)  # looked at without a wait
    (sent,) = enqueue("Hello", NUMBER).rows.values()
    run("devinotify_worker", "--once")
    (waits,) = enqueue("Hello", OTHER).rows.values()
    later, earlier = cells(page(client_of("view_outboxrow")))
    assert {
        "Message": str(waits),
        "To": "+7916***4568",
        "Channel": "sms",
        "State": "queued",
        "Verdict": "open",
    } == later
    assert earlier.pop("Sent")
    assert {
        "Message": str(sent),
        "To": "+7916***4567",
        "Channel": "sms",
        "State": "delivered",
        "Verdict": "accepted",
        "Delivery": "delivered",
        "Segments": "1",
        "Cost": "2.5",
    } == earlier


def test_full_for_whoever_may(boss: Client) -> None:
    """Numbers and texts are shown in full on a permission of their own."""
    (number,) = enqueue("Secret words", NUMBER).rows.values()
    assert NUMBER in page(boss)
    assert "Secret words" in page(boss, f"{LIST}default/{number}/")


def test_row_is_masked() -> None:
    """Without it a row tells neither number nor text."""
    (number,) = enqueue("Secret words", NUMBER).rows.values()
    shown = page(client_of("view_outboxrow"), f"{LIST}default/{number}/")
    assert "queued" in shown
    assert not any(secret in shown for secret in (NUMBER, "Secret words"))


def test_filters(gateway: Sandbox, boss: Client) -> None:
    """A number in any form, a state and a channel choose; what is no number is said to be none."""
    enqueue("Hello", NUMBER)
    enqueue("Hello", OTHER, channel="viber")
    assert OTHER not in page(boss, to="8 (916) 123-45-67")
    assert [("viber", OTHER)] == [(row["Channel"], row["To"]) for row in cells(page(boss, channel="viber"))]
    assert [("sms", NUMBER)] == [(row["Channel"], row["To"]) for row in cells(page(boss, channel="sms"))]
    assert NUMBER not in page(boss, state="accepted")
    assert NUMBER in page(boss, state="queued")
    assert "0 messages" in page(boss, to="12")


def test_pages(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a page has is on the next one."""
    monkeypatch.setattr(site.get_model_admin(OutboxRow), "list_per_page", 2)
    for digit in range(3):
        enqueue("Hello", f"+7916123450{digit}")
    shown = page(boss)
    assert "+79161234500" not in shown
    before = shown.partition("before=")[2].partition('"')[0]
    older = page(boss, before=before)
    assert "+79161234500" in older
    assert "Older" not in older


def test_no_query_a_row(boss: Client, server_of_outbox: postgres.Server | None) -> None:
    """List and question take as many queries for many rows as for one, of Django's and of the outbox's."""
    rows: list[int] = []

    def queries(*numbers: str) -> list[int]:
        rows.extend(row for number in numbers for row in enqueue("Hello", number).rows.values())
        counted = []
        for method, where, given in (("get", LIST, {}), ("post", RETRY, {"action": "retry", "row": rows})):
            before = 0 if server_of_outbox is None else server_of_outbox.statements()
            with CaptureQueriesContext(connection) as ours:
                assert 200 == getattr(boss, method)(where, given).status_code
            counted += [len(ours), 0 if server_of_outbox is None else server_of_outbox.statements() - before]
        return counted

    page(boss)  # the balance is kept from now on
    one = queries(NUMBER)
    assert one == queries(*(f"+7916123450{digit}" for digit in range(9)))
    assert server_of_outbox is None or 0 not in one


def test_retry_asks_first(gateway: Sandbox, boss: Client) -> None:
    """What may have been sent is queued again only after its risk is confirmed."""
    number = unknown(gateway)
    chosen = {"using": "default", "action": "retry_unknown", "row": [number]}
    asked = boss.post(RETRY, chosen).content.decode()
    assert "you pay for it twice" in asked
    assert RowState.UNKNOWN is state(number)
    answer = boss.post(RETRY, {**chosen, "confirmed": "yes"}, follow=True)
    assert "1 queued again" in answer.content.decode()
    assert RowState.QUEUED is state(number)


def test_retry_takes_no_unknown(gateway: Sandbox, boss: Client) -> None:
    """The harmless action leaves what may have been sent as it is, and says so."""
    number = unknown(gateway)
    chosen = {"action": "retry", "row": [number, 999]}
    assert "2 of the chosen messages are in another state" in boss.post(RETRY, chosen).content.decode()
    answer = boss.post(RETRY, {**chosen, "confirmed": "yes"}, follow=True).content.decode()
    assert "2 left as they are" in answer
    assert "queued again" not in answer
    assert RowState.UNKNOWN is state(number)


def test_retry_of_what_was_refused(gateway: Sandbox, boss: Client) -> None:
    """What was refused is queued again."""
    fault = gateway.add_fault("error", number=NUMBER, code=2)
    (number,) = enqueue("Hello", NUMBER).rows.values()
    run("devinotify_worker", "--once")
    gateway.remove_fault(fault)
    boss.post(RETRY, {"action": "retry", "row": [number], "confirmed": "yes"})
    run("devinotify_worker", "--once")
    assert RowState.ACCEPTED is state(number)


def test_code_is_not_sent_late(boss: Client, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    """A code that has not left by its deadline is not queued again, the page says why, and the others go on."""
    configure(**settings.DEVINOTIFY["default"] | {"OTP": {"QUEUED": True, "VALIDITY": 5}})

    class Earlier(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override] # a datetime all the same
            return datetime.now(tz) - timedelta(hours=3)

    with monkeypatch.context() as patched:
        patched.setattr(codes, "datetime", Earlier)
        send_code("4821", NUMBER)
    (late,) = [row.id for row in notifiers.outbox()]
    (other,) = get_notifier().enqueue("Hello", OTHER, deadline=Earlier.now(UTC)).rows.values()
    run("devinotify_worker", "--once")
    assert [RowState.NOT_SENT] * 2 == [state(late), state(other)]
    chosen = {"action": "retry", "row": [late, other]}
    asked = boss.post(RETRY, chosen).content.decode()
    assert f"row {late} is a one-time code whose time is over" in asked
    assert "Send 1 again" in asked
    assert "another state" not in asked
    answer = boss.post(RETRY, {**chosen, "confirmed": "yes"}, follow=True).content.decode()
    assert f"Row {late} is a one-time code" in answer
    assert "1 queued again" in answer
    assert [RowState.NOT_SENT, RowState.QUEUED] == [state(late), state(other)]


def test_every_state_has_its_verdict() -> None:
    """What is not open has one of the four verdicts."""
    verdicts = {state: state.verdict for state in RowState if state.verdict is not None}
    assert set(RowState) - {RowState.QUEUED, RowState.CLAIMED} == set(verdicts)
    assert set(Verdict) == set(verdicts.values())


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"action": "erase", "row": ["1"]},
        {"action": "retry"},
        {"action": "retry", "row": ["x", 2**63, "9" * 5000]},
    ],
)
def test_retry_of_nothing(boss: Client, given: dict[str, Any]) -> None:
    """Without an action or a message it says what is missing."""
    assert "Choose some messages" in boss.post(RETRY, given, follow=True).content.decode()


@pytest.mark.parametrize(
    ("permissions", "where", "status"),
    [
        ((), LIST, 403),
        (("view_outboxrow",), RETRY, 403),
        (("retry_outboxrow",), LIST, 403),
        (("view_outboxrow",), f"{LIST}default/999/", 404),
        (("view_outboxrow",), f"{LIST}default/{2**63}/", 404),
        (("view_outboxrow",), f"{LIST}?using=other", 404),
        (("view_outboxrow",), f"{LIST}?before={2**63}", 200),
        (("view_outboxrow",), f"{LIST}?channel=%00&state=none&before=x&to=%00", 200),
    ],
)
def test_who_may(permissions: tuple[str, ...], where: str, status: int) -> None:
    """Each page has its permission, and what is not there is not found."""
    assert status == client_of(*permissions).get(where).status_code


def test_is_on_the_index(boss: Client) -> None:
    """The index of the admin leads there, and offers to add nothing."""
    shown = page(boss, "/admin/")
    assert LIST in shown
    assert f"{LIST}add" not in shown


def test_panel_is_on_the_index(gateway: Sandbox, boss: Client) -> None:
    """The index of the admin shows how each account stands: its balance and what is in its outbox."""
    enqueue("Hello", NUMBER)
    default = settings.DEVINOTIFY["default"]
    with Sandbox(login="other") as other:
        other.balance = 7
        with override_settings(DEVINOTIFY={"default": default, "alerts": {**default, "URL": other.url}}):
            shown = page(boss, "/admin/").partition("devinotify-panel")[2]
    rows = [" ".join(re.sub("<[^>]*>", " ", row).split()) for row in re.findall("(?s)<tr>.*?</tr>", shown)]
    assert ["Account Balance Outbox", "default 100000.00 1 queued", "alerts 7 nothing"] == rows[:3]


def test_panel_is_for_whoever_may() -> None:
    """Who may not see the outbox sees no panel, and nothing is asked of the gateway for it."""
    assert "devinotify-panel" not in page(client_of(), "/admin/")


@pytest.mark.parametrize(("own", "used"), [(None, "admin/devinotify/index.html"), ("own.html", "own.html")])
def test_panel_stands_aside(own: str | None, used: str) -> None:
    """A site's own page of the index is left as it is."""
    other = AdminSite(name="own")
    other.index_template = own
    admin.OutboxAdmin(OutboxRow, other)
    assert used == other.index_template


AWAY: dict[str, dict[str, Any]] = {
    "no outbox": {"URL": URL, "OUTBOX": "/dev/null/sms.db"},
    "wrong setting": {"URL": "devino://login@SENDER"},
    "wrong channel": {"URL": f"{URL}&channel=pigeon"},
}
"""What cannot be used, and is not the fault of whoever looks at a page."""


@pytest.mark.parametrize("keys", AWAY.values(), ids=AWAY)
@pytest.mark.parametrize("where", ["/admin/", LIST])
def test_says_what_is_wrong(boss: Client, configure: Callable[..., None], where: str, keys: dict[str, Any]) -> None:
    """Where setting or outbox cannot be used, the pages that show how things stand are there, and say why."""
    configure(**keys)
    shown = page(boss, where)
    assert any(why in shown for why in ("/dev/null/sms.db", "password", "pigeon"))


@pytest.mark.parametrize("keys", AWAY.values(), ids=AWAY)
@pytest.mark.parametrize("confirmed", [{}, {"confirmed": "yes"}], ids=["asks", "confirmed"])
def test_row_and_retry_say_what_is_wrong(
    boss: Client, configure: Callable[..., None], keys: dict[str, Any], confirmed: dict[str, str]
) -> None:
    """A row, and sending again, tell why nothing can be done, in place of an error page."""
    configure(**keys)
    for answer in (boss.get(f"{LIST}default/1/"), boss.post(RETRY, {"action": "retry", "row": [1], **confirmed})):
        shown = answer.content.decode()
        assert 503 == answer.status_code
        assert any(why in shown for why in ("/dev/null/sms.db", "password", "pigeon"))
        assert "Nothing has been changed" in shown


def test_says_that_there_is_no_setting(boss: Client) -> None:
    """Without a setting the list says so, and the index has no panel."""
    with override_settings(DEVINOTIFY={}):
        assert "no entry &#x27;default&#x27;" in page(boss)
        assert 503 == boss.get(f"{LIST}default/1/").status_code
        assert "devinotify-panel" not in page(boss, "/admin/")


def test_gateway_is_away(boss: Client, configure: Callable[..., None]) -> None:
    """Without a gateway the page is there and says so."""
    configure(URL=URL)
    assert "not known" in page(boss)


def test_rows_of_another_account(gateway: Sandbox, boss: Client) -> None:
    """A row of another account in the same outbox is neither listed nor shown, nor counted in the panel."""
    (number,) = enqueue("Hello", NUMBER).rows.values()
    outbox = settings.DEVINOTIFY["default"]["OUTBOX"]
    with (
        Sandbox(login="other") as other,
        override_settings(DEVINOTIFY={"default": {"URL": other.url, "OUTBOX": outbox}}),
    ):
        shown = page(boss)
        assert 404 == boss.get(f"{LIST}default/{number}/").status_code
    assert NUMBER not in shown
    assert "queued</a>" not in shown


def test_retry_of_another_accounts_row(gateway: Sandbox, boss: Client) -> None:
    """A row of another account in the same outbox is neither shown nor sent again by whoever knows its id."""
    number = unknown(gateway)
    outbox = settings.DEVINOTIFY["default"]["OUTBOX"]
    chosen = {"action": "retry_unknown", "row": [number]}
    with (
        Sandbox(login="other") as other,
        override_settings(DEVINOTIFY={"default": {"URL": other.url, "OUTBOX": outbox}}),
    ):
        asked = boss.post(RETRY, chosen).content.decode()
        boss.post(RETRY, {**chosen, "confirmed": "yes"})
        assert RowState.UNKNOWN is state(number)
    assert NUMBER not in asked
    assert "1 of the chosen messages are in another state" in asked
    boss.post(RETRY, {**chosen, "confirmed": "yes"})
    assert RowState.QUEUED is state(number)


def test_balance_is_kept(gateway: Sandbox, boss: Client) -> None:
    """The balance is asked for once for many looks."""
    page(boss)
    asked = len(gateway.requests())
    page(boss)
    assert asked == len(gateway.requests())


def test_no_migration_is_missing() -> None:
    """The models are as the migration has them."""
    call_command("makemigrations", "devinotify", check=True, dry_run=True, verbosity=0)
