"""The outbox in Django's admin: a list that is read only, and "send again" as an action that says what it risks."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar

from devinotify import InvalidInput, RowState, mask_number, phones
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import urlencode

from devinotify_django import conf, notifiers, panel
from devinotify_django.models import OutboxRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify import Outbox

_UNKNOWN_RISK = (
    "These may have been sent: their answer was lost. Whoever has got one gets it a second time, and you pay for it"
    " twice. Ask a recipient before you go on."
)
RISKS: dict[str, tuple[frozenset[RowState], str]] = {
    "retry": (
        frozenset({RowState.REJECTED, RowState.NOT_SENT}),
        "These were refused or have not left. They are queued once more, and nobody gets one twice.",
    ),
    "retry_unknown": (frozenset({RowState.UNKNOWN}), _UNKNOWN_RISK),
}
"""Each action: the rows that it is for, and what it risks."""
OPEN = "open"
"""What is said of a row that has no verdict yet: it is queued, or being sent."""
DIGITS = 18
"""How many digits an id of a row has at most."""


@admin.register(OutboxRow)
class OutboxAdmin(admin.ModelAdmin):
    """Lists rows as ``Outbox.latest`` gives them, by one look for a page."""

    list_per_page = 50
    TITLES: ClassVar[dict[str, str]] = {"retry": "Send again", "retry_unknown": "Send again what may have been sent"}

    def __init__(self, model: Any, admin_site: Any) -> None:  # noqa: ANN401 - Django brings no types
        super().__init__(model, admin_site)
        # A site with a page of its own for its index says {% devinotify_panel %} there.
        if admin_site.index_template is None:
            admin_site.index_template = "admin/devinotify/index.html"

    def has_add_permission(self, request: Any, *given: Any) -> bool:  # noqa: ANN401, ARG002 - Django's own
        """Nobody adds a row here."""
        return False

    has_change_permission: ClassVar[Callable[..., bool]] = has_add_permission
    has_delete_permission: ClassVar[Callable[..., bool]] = has_add_permission

    def get_urls(self) -> list[Any]:
        """Return the pages: the list, a row, and the question before a retry."""

        def view(of: Callable[..., HttpResponse]) -> Any:  # noqa: ANN401 - Django brings no types
            return self.admin_site.admin_view(self._telling(of))

        return [
            path("", view(self.list_view), name="devinotify_outboxrow_changelist"),
            path("retry/", view(self.retry_view), name="devinotify_outboxrow_retry"),
            path("<str:using>/<int:number>/", view(self.row_view), name="devinotify_outboxrow_row"),
        ]

    def list_view(self, request: Any) -> HttpResponse:  # noqa: ANN401 - Django brings no types
        """Show the newest rows that fit the filters, with the panel of counts and balance."""
        self._need(request, "view")
        using = self._using(request.GET)
        asked = {name: request.GET.get(name, "").strip() for name in ("state", "channel", "to", "before")}
        (stands,) = panel.panels([using])
        rows = []
        if stands.fault is None:  # which is told already
            try:
                rows = notifiers.outbox(using).latest(**self._selection(using, asked), limit=self.list_per_page + 1)
            except conf.UNUSABLE as error:
                messages.error(request, str(error))
        context = {
            "rows": [self._line(request, row) for row in rows[: self.list_per_page]],
            "panels": [stands],
            "using": using,
            "aliases": conf.aliases(),
            "states": list(RowState),
            "asked": asked,
            "actions": self.TITLES if request.user.has_perm("devinotify.retry_outboxrow") else {},
        }
        if len(rows) > self.list_per_page:
            context["older"] = urlencode({**request.GET.dict(), "before": rows[self.list_per_page - 1].id})
        return self._page(request, "SMS", "list", context)

    def row_view(self, request: Any, using: str, number: int) -> HttpResponse:  # noqa: ANN401 - Django brings no types
        """Show all that is known of one row, with number and text in full for whoever may see them."""
        self._need(request, "view")
        outbox = notifiers.outbox(self._using({"using": using}))
        row = outbox.get(number)
        told = (
            None if row is None else outbox.describe(row, full=request.user.has_perm("devinotify.view_full_outboxrow"))
        )
        if told is None or told["account"] not in (None, conf.account(using).url.account):
            raise Http404(f"there is no row {number}")
        facts = [(name.replace("_", " "), value) for name, value in told.items() if value not in (None, "", [], {})]
        return self._page(request, f"SMS {number}", "row", {"facts": facts, "using": using})

    def retry_view(self, request: Any) -> HttpResponse:  # noqa: ANN401 - Django brings no types
        """Say what sending these rows again risks, and do it once that is confirmed."""
        self._need(request, "retry")
        using, action = self._using(request.POST), request.POST.get("action", "")
        home = self._home(using)
        numbers = [number for number in map(_number, request.POST.getlist("row")) if number is not None]
        if request.method != "POST" or action not in RISKS or not numbers:
            messages.warning(request, "Choose some messages, and what is to be done with them.")
            return HttpResponseRedirect(home)
        states, risk = RISKS[action]
        outbox = notifiers.outbox(using)
        force = action == "retry_unknown"
        rows = self._chosen(outbox, using, states, numbers)
        refused = outbox.no_retries(rows, force=force)
        rows = [row for row in rows if row.id not in refused]
        if "confirmed" not in request.POST:
            context = {
                "rows": [self._line(request, row) for row in rows],
                "left": len(numbers) - len(rows) - len(refused),
                "refused": refused.values(),
                "risk": risk,
                "action": action,
                "using": using,
                "home": home,
            }
            return self._page(request, self.TITLES[action], "retry", context)
        try:
            if count := outbox.retry(rows, force=force):
                messages.success(request, f"{count} queued again: devinotify_worker sends them")
            for why in refused.values():
                messages.warning(request, why)
            if left := len(numbers) - count - len(refused):
                messages.warning(request, f"{left} left as they are: their state is another by now")
        except InvalidInput as error:
            messages.error(request, str(error))
        return HttpResponseRedirect(home)

    def _chosen(self, outbox: Outbox, using: str, states: frozenset[RowState], numbers: list[int]) -> list[Any]:
        """Return those of these rows that are in such a state, and the account's: others may share its outbox."""
        rows = [row for row in outbox.get_all(numbers) if row.state in states]
        account = conf.account(using).url.account
        stored = {number: outbox.message(number) for number in {row.message_id for row in rows}}
        ours = {number for number, each in stored.items() if each is not None and each.account in (None, account)}
        return [row for row in rows if row.message_id in ours]

    def _telling(self, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        """Return a view that says what is wrong with the setting or the outbox, in place of an error page."""

        @wraps(view)
        def told(request: Any, **given: Any) -> HttpResponse:  # noqa: ANN401 - Django brings no types
            try:
                return view(request, **given)
            except conf.UNUSABLE as error:
                messages.error(request, str(error))
                using = given.get("using") or request.POST.get("using") or conf.DEFAULT
                return self._page(request, "SMS", "away", {"home": self._home(using)}, status=503)

        return told

    def _home(self, using: str) -> str:
        """Return where the list of an account is."""
        place = reverse("admin:devinotify_outboxrow_changelist", current_app=self.admin_site.name)
        return f"{place}?{urlencode({'using': using})}"

    def _need(self, request: Any, what: str) -> None:  # noqa: ANN401 - Django brings no types
        if not request.user.has_perm(f"devinotify.{what}_outboxrow"):
            raise PermissionDenied

    def _using(self, given: Any) -> str:  # noqa: ANN401 - a QueryDict or a dict
        using = str(given.get("using") or conf.DEFAULT)
        if using not in (conf.DEFAULT, *conf.aliases()):  # without a default one, that is what is wrong
            raise Http404(f"there is no entry {using!r}")
        return using

    def _selection(self, using: str, asked: dict[str, str]) -> dict[str, Any]:
        """Return what ``Outbox.latest`` is to be asked; raise InvalidInput for what is not a number."""
        account = conf.account(using).url
        found: dict[str, Any] = {"account": account.account}
        if asked["state"] in list(RowState):
            found["states"] = [RowState(asked["state"])]
        if asked["channel"]:
            found["channel"] = asked["channel"]
        if asked["to"]:
            found["recipient"] = phones.normalize(asked["to"], region=account.region).e164
        if (before := _number(asked["before"])) is not None:
            found["before"] = before
        return found

    def _line(self, request: Any, row: Any) -> dict[str, Any]:  # noqa: ANN401 - Django brings no types
        full = request.user.has_perm("devinotify.view_full_outboxrow")
        return {
            "id": row.id,
            "recipient": row.recipient if full else mask_number(row.recipient),
            "channel": row.channel,
            "state": str(row.state),
            "verdict": str(row.state.verdict or OPEN),
            "sent": None if row.sent_at is None else datetime.fromtimestamp(row.sent_at, UTC),
            "status": row.status or "",
            "segments": "" if row.segments is None else row.segments,
            "price": "" if row.price is None else row.price,
            "error": row.error or "",
        }

    def _page(
        self,
        request: Any,  # noqa: ANN401 - Django brings no types
        title: str,
        name: str,
        context: dict[str, Any],
        status: int = 200,
    ) -> HttpResponse:
        everywhere = {**self.admin_site.each_context(request), "title": title, "opts": self.model._meta}
        return TemplateResponse(request, f"admin/devinotify/{name}.html", {**everywhere, **context}, status=status)


def _number(written: str) -> int | None:
    """Return the id of a row, or ``None`` where this is none that a row can have."""
    return int(written) if written.isdecimal() and len(written) <= DIGITS else None
