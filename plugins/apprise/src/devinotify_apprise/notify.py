"""The Apprise plugin: ``devino://login:password@SENDER/79161234567``."""

# Apprise's base classes are typed by their empty defaults, which no plugin can keep to.
# mypy: disable-error-code="assignment, misc, override"

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import apprise
from apprise import NotifyFormat, NotifyType, PrivacyMode
from devinotify import DevinotifyError, DevinoURL, InvalidURL, NotSent, Verdict, mask_number
from devinotify import text as measures

from devinotify_apprise import options, texts
from devinotify_apprise import targets as recipients
from devinotify_apprise.options import SCHEMA
from devinotify_apprise.pool import shared
from devinotify_apprise.retries import RetryAware
from devinotify_apprise.versions import SEVERAL_FORMATS, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from devinotify import Notifier, Outcome

_BULK = 1000
"""Recipients that devinotify puts into one bulk request."""
_NAMED = 3
"""Recipients that a log line names."""
_SETTLED = (Verdict.ACCEPTED, Verdict.UNKNOWN)
"""What is never sent again: it was taken, or may have been."""

_FORMATS: Any = NotifyFormat.TEXT
if SEVERAL_FORMATS:
    _FORMATS = (NotifyFormat.TEXT, NotifyFormat.MARKDOWN, NotifyFormat.HTML)


class NotifyDevino(RetryAware):
    """Sends SMS and Viber through the Devino Telecom HTTP API, by devinotify.

    ``user`` is the login, ``host`` or ``sender`` the sender; ``user`` and ``password`` are percent-encoded, as for
    every Apprise plugin. The other arguments are those of the URL, as text or as what they mean. Raises TypeError
    where one of them cannot be used. Targets that are not numbers are kept and not sent to.
    """

    service_name = "Devino Telecom"
    service_url = "https://www.devinotele.com/"
    setup_url = "https://pypi.org/project/devinotify-apprise/"
    category = "custom"
    secure_protocol = SCHEMA

    body_maxlen: int = 2000  # the API's limit for SMS; an instance has that of its channel
    title_maxlen = 0  # the title becomes the first line
    attachment_support = False
    notify_format = _FORMATS
    request_rate_per_sec = 0  # the API has no such limit, and Apprise's own would run into its time limit

    templates: tuple[str, ...] = options.TEMPLATES
    template_tokens: ClassVar[dict[str, Any]] = dict(apprise.NotifyBase.template_tokens, **options.TOKENS)
    template_args: ClassVar[dict[str, Any]] = dict(apprise.NotifyBase.template_args, **options.ARGUMENTS)

    # Positional arguments: Apprise's verification compares them with the templates, and sees no others.
    def __init__(
        self,
        targets: object = None,
        sender: str | None = None,
        batch: bool | str | None = None,
        channel: str | None = None,
        region: str | None = None,
        validity: int | str | None = None,
        transliterate: bool | str | None = None,
        max_segments: int | str | None = None,
        timeout: float | str | None = None,
        gateway: str | None = None,
        ca: str | None = None,
        patience: float | str | None = None,
        poll: float | str | None = None,
        on_unknown: str | None = None,
        outbox: str | None = None,
        insecure: bool | str | None = None,
        password_file: str | None = None,
        limit: str | None = None,
        limit_zone: str | None = None,
        price: float | str | None = None,
        aliases: bool | str | None = None,
        **kwargs: Any,  # noqa: ANN401 - Apprise's own
    ) -> None:
        super().__init__(**kwargs)
        if timeout is None and ("rto" in kwargs or "cto" in kwargs):
            timeout = self.socket_connect_timeout + self.socket_read_timeout
        given = {
            "channel": channel,
            "region": region,
            "validity": validity,
            "transliterate": transliterate,
            "max_segments": max_segments,
            "timeout": timeout,
            "gateway": gateway,
            "ca": ca,
            "patience": patience,
            "poll": poll,
            "on_unknown": on_unknown,
            "outbox": outbox,
            "insecure": insecure,
            "password_file": password_file,
            "limit": limit,
            "limit_zone": limit_zone,
            "price": price,
            "aliases": aliases,
        }
        fault = kwargs.get(options.FAULT) or options.unknown(kwargs)
        if fault:
            raise self._refusal(fault)
        sender = sender or kwargs.get("from") or self.host or ""
        try:
            self.settings: DevinoURL = options.settings(self.user or "", self.password, sender, given)
            self.notifier: Notifier = shared.notifier(self.settings)
        except DevinotifyError as error:
            raise self._refusal(str(error)) from None
        self.password_file = password_file
        if self.url_identifier is None:  # older versions have put False here where the URL says store=no
            # What tells this account from others: nothing of the message, and no target.
            url = self.settings
            self.url_identifier: tuple[str, str, str, str] = (SCHEMA, url.login, url.password, url.gateway)
        if not self.verify_certificate:
            self.logger.warning("Devino: verify=no is not heeded; name the certificates to trust with ca=")
        self.batch: bool = options.is_yes(batch)
        self.body_maxlen = self.notifier.channel(self.settings.channel).max_length
        everybody = recipients.listed([targets, kwargs.get("to")])
        found = recipients.read(everybody, self.notifier)
        self.targets: tuple[str, ...] = found.recipients
        self.invalid_targets: tuple[str, ...] = tuple(found.refused)
        for reason in found.refused.values():
            self.logger.warning("Devino: a target is left out: %s", reason)
        # In a configuration file Apprise puts those of "to" in the place of the URL's.
        of_url = recipients.listed(options.targets(kwargs.get("fullpath") or ""))
        if lost := [one for one in of_url if one not in everybody]:
            self.logger.warning("Devino: targets of the URL give way to those of its entry: %d of them", len(lost))

    def _refusal(self, reason: str) -> Exception:
        message = f"Devino: {reason}"
        self.logger.warning(message)
        return Refusal(message)

    def send(
        self,
        body: str,
        title: str = "",
        notify_type: NotifyType | str = NotifyType.INFO,
        attach: object = None,
        body_format: NotifyFormat | None = None,
        body_passthrough: bool | None = None,
        **kwargs: Any,  # noqa: ANN401, ARG002 - Apprise's own, more with each version
    ) -> bool:
        """Send one text to all recipients; return whether all of them were accepted.

        A text that is longer than the API takes goes out in parts, unless ``max_segments`` says how much may be sent.
        """
        self.next_piece()
        if attach:
            self.logger.warning("Devino: attachments cannot be sent; the text goes without them")
        if not self.targets:
            self.logger.warning("Devino: there is nobody to send to")
            return False
        text = texts.readable(body, self._markup(body_format, declared=not body_passthrough))
        if title:  # Apprise has put it into the body already, unless somebody calls this by himself
            text = f"{title}\n{text}"
        # Before it is cut, or half of a colour code would be left at the end of a part.
        text = measures.sendable(text, warn=lambda lost: self.logger.warning("Devino: %s", lost))
        if self.settings.transliterate:
            text = measures.to_gsm7(text)  # now, since it may change the length
        pieces = texts.parts(text, self.body_maxlen)
        if self.settings.max_segments is not None:
            pieces = pieces[:1]
        tags = {str(getattr(notify_type, "value", notify_type)), *map(str, self.tags)}
        if notify_type == NotifyType.FAILURE:
            tags.add("urgent")
        # All of them, also when one fails.
        accepted = [self._deliver(number, piece, tags) for number, piece in enumerate(pieces)]
        return bool(accepted) and all(accepted)

    def _markup(self, body_format: NotifyFormat | str | None, *, declared: bool) -> NotifyFormat | str | None:
        """Return what the text that Apprise hands over is written in."""
        if not SEVERAL_FORMATS:
            # One format: Apprise has converted to it whatever it can, and says what the text was before.
            forced: NotifyFormat = self.notify_format
            if forced != NotifyFormat.TEXT:
                return forced
            return body_format if body_format == NotifyFormat.MARKDOWN else NotifyFormat.TEXT
        # Of text whose format nobody declared, format= on the URL says what it is.
        override: NotifyFormat | None = self._format_override
        return body_format if declared else override

    def _deliver(self, part: int, text: str, tags: Iterable[str]) -> bool:
        """Send one part to those who are not settled by an earlier attempt; return whether all have accepted it."""
        everybody: Sequence[str] = self.noted(("recipients", part)) or self.targets
        verdicts = {one: self.noted((part, one)) for one in everybody}
        pending = [one for one, verdict in verdicts.items() if verdict not in _SETTLED]
        for group in [pending] if self.batch else [[one] for one in pending]:
            if not group:
                continue
            self.throttle()
            try:
                outcomes = self.notifier.notify(text, group, tags=tags)
            except DevinotifyError as error:
                self.logger.warning("Devino: nothing was sent: %s", error)
                return False
            for one in group:
                del verdicts[one]  # an alias: its members come in its place
            verdicts.update((outcome.recipient, outcome.verdict) for outcome in outcomes)
            self._report(outcomes)
            for outcome in outcomes:
                if outcome.verdict in _SETTLED:
                    self.note((part, outcome.recipient), outcome.verdict)
            if any(isinstance(outcome.error, NotSent) for outcome in outcomes):
                break  # the gateway cannot be reached: the others would wait for nothing
        self.note(("recipients", part), tuple(verdicts))
        return all(verdict is Verdict.ACCEPTED for verdict in verdicts.values())

    def _report(self, outcomes: Iterable[Outcome]) -> None:
        """Log what became of a message: accepted at INFO, everything else at WARNING, one line for each reason."""
        reasons: dict[tuple[Verdict, str], list[str]] = {}
        for outcome in outcomes:
            reasons.setdefault((outcome.verdict, str(outcome.error or "")), []).append(_masked(outcome.recipient))
        for (verdict, reason), masked in reasons.items():
            named = ", ".join(masked[:_NAMED]) + (f" and {len(masked) - _NAMED} more" if len(masked) > _NAMED else "")
            if verdict is Verdict.ACCEPTED:
                self.logger.info("Sent Devino notification to %s.", named)
            elif verdict is Verdict.UNKNOWN:
                self.logger.warning("Devino notification to %s may or may not have been sent: %s", named, reason)
            else:
                self.logger.warning("Failed to send Devino notification to %s: %s", named, reason)

    def url(self, privacy: bool = False, *args: Any, **kwargs: Any) -> str:  # noqa: ANN401 - Apprise's
        """Return the URL that makes the same plugin; ``privacy`` hides the password and the numbers.

        A password that was found in a file or a variable is not in it.
        """
        params = {"batch": "yes" if self.batch else "no", **options.written(self.settings)}
        if self.password_file is not None:
            params["password_file"] = self.password_file
        credentials = self.quote(self.settings.login, safe="")
        if self.password is not None:
            credentials += ":" + self.pprint(self.settings.password, privacy, mode=PrivacyMode.Secret, safe="")
        params.update(self.url_parameters(*args, privacy=privacy, **kwargs))
        everybody = (*self.targets, *self.invalid_targets)
        path = [_masked(one) if privacy else self.quote(one, safe="+") for one in everybody]
        return "{}://{}@{}/{}/?{}".format(
            SCHEMA,
            credentials,
            self.quote(self.settings.sender, safe=""),
            "/".join(path),
            self.urlencode(params),
        ).replace("//?", "/?")

    def __len__(self) -> int:
        """Return the number of HTTP requests that a text takes, the login left out."""
        return math.ceil(len(self.targets) / _BULK) if self.batch else len(self.targets)

    @staticmethod
    def parse_url(url: str) -> dict[str, Any] | None:
        """Return the arguments that a URL holds, or ``None`` where it cannot be read."""
        if not isinstance(url, str):
            return None
        try:
            parts = options.parts(url)
        except InvalidURL as error:
            return {"schema": SCHEMA, options.FAULT: str(error)}
        results: dict[str, Any] | None = apprise.NotifyBase.parse_url(parts.canonical, verify_host=False)
        if not results:
            return None
        results["fullpath"] = f"/{parts.path}"
        results["targets"] = recipients.listed(parts.targets)
        for key, value in parts.query:
            if key == "to":
                results["targets"] += recipients.listed(value)
            elif key == "from":
                results["sender"] = value
            elif key == "limit" and key in results:
                results[key] += f";{value}"
            elif key in options.ARGUMENTS:
                results[key] = value
            elif key in ("user", "password", "pass"):
                # Apprise has decoded it, and will decode it again.
                results["password" if key == "pass" else key] = apprise.NotifyBase.quote(value, safe="")
            elif key not in options.KNOWN:
                # A key may be the rest of a password with a stray ? in it.
                shown = "" if "@" in url.partition("?")[2] else key
                results.setdefault(options.FAULT, str(DevinoURL.unknown_key(shown, options.KNOWN)))
        if results["host"]:
            # By the name of its token, where Apprise from 2.3 on looks for it; ``from`` comes before it.
            results.setdefault("sender", apprise.NotifyBase.unquote(results["host"]))
        return results


def _masked(recipient: str) -> str:
    """Return a number, or what was meant to be one, as logs may show it; an alias says nothing of anybody."""
    is_number = not any(character.isalpha() for character in recipient)
    return mask_number(recipient) if is_number or sum(map(str.isdigit, recipient)) > 5 else recipient
