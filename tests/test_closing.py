"""Whatever is closed while an error is under way lets that error through, and closes the rest all the same."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinotify import AsyncClient, AsyncNotifier, Client, Notifier, Outbox, make_plugin_manager
from devinotify.bulk import Campaign
from devinotify.closing import close_all
from devinotify.exceptions import DevinotifyError
from devinotify.outbox.memory import MemoryStore
from devinotify.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "devino://login:password@SENDER?gateway=http://127.0.0.1:9/rest"
SECRET = NUMBER = "+79161234567"
DESCRIPTORS = Path("/proc/self/fd")
log = logging.getLogger("devinotify.test")


def fail() -> None:
    """Fail with words that are nobody's to read."""
    raise OSError(SECRET)


def refuse() -> None:
    """Fail as our own do."""
    raise DevinotifyError("the disk is full")


def test_all_are_closed_and_the_first_failure_comes_out(caplog: pytest.LogCaptureFixture) -> None:
    """Those after it are logged, by their kind alone unless they are our own."""
    done: list[str] = []
    with pytest.raises(DevinotifyError, match="disk is full"):
        close_all(log, "it", lambda: done.append("one"), refuse, fail, lambda: done.append("two"))
    assert (["one", "two"], ["it could not be closed: OSError"]) == (done, caplog.messages)


def test_the_error_under_way_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    """What failed while it was handled is logged."""

    def use() -> None:
        try:
            raise KeyError("under way")
        finally:
            close_all(log, "it", refuse, fail)

    with pytest.raises(KeyError, match="under way"):
        use()
    assert ["it could not be closed: the disk is full", "it could not be closed: OSError"] == caplog.messages


def test_an_interrupt_is_not_held_up() -> None:
    """Ctrl-C while something is closed comes out at once."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        close_all(log, "it", interrupt, fail)


def client() -> tuple[Client, Callable[[pytest.MonkeyPatch], None]]:
    """Return a client, and what makes its closing fail."""
    made = Client(URL)
    return made, lambda patch: patch.setattr(made._transport, "close", fail)


def notifier() -> tuple[Notifier, Callable[[pytest.MonkeyPatch], None]]:
    """Return a notifier, and what makes its closing fail."""
    made = Notifier(URL, plugins=make_plugin_manager(discover=False))
    return made, lambda patch: patch.setattr(made._storage, "close", fail)


def outbox() -> tuple[Outbox, Callable[[pytest.MonkeyPatch], None]]:
    """Return an outbox, and what makes its closing fail."""
    store = MemoryStore()
    return Outbox(store), lambda patch: patch.setattr(store, "close", fail)


@pytest.mark.parametrize("make", [client, notifier, outbox])
def test_closing_takes_no_errors_place(
    make: Callable[[], tuple[Client | Notifier | Outbox, Callable[[pytest.MonkeyPatch], None]]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The block's own error comes out and the other is logged; without one, the failure is told."""
    made, spoil = make()
    with monkeypatch.context() as patch:
        spoil(patch)
        with pytest.raises(KeyError, match="under way"), made:
            raise KeyError("under way")
        assert ["OSError"] == [line.rpartition(": ")[2] for line in caplog.messages]
        with pytest.raises(OSError, match="7916"):
            made.close()
    made.close()


def test_a_notifier_closes_its_client_whatever_becomes_of_its_outbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left open that somebody would have to know of."""
    made, spoil = notifier()
    closed: list[str] = []
    monkeypatch.setattr(made.client, "close", lambda: closed.append("client"))
    spoil(monkeypatch)
    with pytest.raises(OSError, match="7916"):
        made.close()
    assert ["client"] == closed


def test_closing_an_async_notifier_takes_no_errors_place(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Nor where another thread does it; the threads end in any case."""

    async def use(*, error: bool) -> None:
        notifier = AsyncNotifier(f"{URL}&outbox={tmp_path / 'o.db'}", plugins=make_plugin_manager(discover=False))
        close = notifier.notifier.close

        def close_and_fail() -> None:
            close()
            fail()

        monkeypatch.setattr(notifier.notifier, "close", close_and_fail)
        try:
            async with notifier:
                if error:
                    raise KeyError("under way")
        finally:
            assert not notifier._executor.is_open

    with pytest.raises(KeyError, match="under way"):
        asyncio.run(use(error=True))
    assert ["the notifier could not be closed: OSError"] == caplog.messages
    with pytest.raises(OSError, match="7916"):
        asyncio.run(use(error=False))


def test_closing_an_async_client_takes_no_errors_place() -> None:
    """A login that fails while it is closed is nobody's error any more."""

    async def use() -> None:
        async with AsyncClient(URL) as client:
            asking = asyncio.create_task(client.user.balance())
            await asyncio.sleep(0)
            asking.cancel()
            raise KeyError("under way")

    with pytest.raises(KeyError, match="under way"):
        asyncio.run(use())


def opened() -> Counter[str]:
    """Return what this process has open, and how often."""
    found: Counter[str] = Counter()
    for name in os.listdir(DESCRIPTORS):  # noqa: PTH208 - names, since one of them is the listing's own
        with contextlib.suppress(FileNotFoundError):
            found[os.readlink(DESCRIPTORS / name)] += 1  # noqa: PTH115 - a socket's is not a path
    return found


def use_client(url: str, folder: Path) -> None:
    """Have a client keep a connection."""
    with Client(url) as client:
        client.user.balance()


def use_notifier(url: str, folder: Path) -> None:
    """Have a notifier keep a connection and an outbox."""
    with Notifier(url, outbox=str(folder / "outbox.db"), plugins=make_plugin_manager(discover=False)) as notifier:
        notifier.notify("text", NUMBER, channel="sms-viber")


def use_async_client(url: str, folder: Path) -> None:
    """Have a client for asyncio keep a connection."""

    async def use() -> None:
        async with AsyncClient(url) as client:
            await client.user.balance()

    asyncio.run(use())


def use_async_notifier(url: str, folder: Path) -> None:
    """Have a notifier for asyncio keep its threads, a connection and an outbox."""

    async def use() -> None:
        plugins = make_plugin_manager(discover=False)
        async with AsyncNotifier(url, outbox=str(folder / "outbox.db"), plugins=plugins) as notifier:
            await notifier.notify("text", NUMBER, channel="sms-viber")

    asyncio.run(use())


def use_campaign(url: str, folder: Path) -> None:
    """Have a campaign keep its input, its journal and connections."""
    (folder / "numbers.txt").write_text(f"{NUMBER}\n")
    with Campaign(url, folder / "numbers.txt", text="text", journal=folder / "journal.db") as campaign:
        campaign.run()


def use_sandbox(url: str, folder: Path) -> None:
    """Have another gateway keep a port and connections."""
    with Sandbox() as gateway, Client(gateway.url) as client:
        client.user.balance()


@pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="asks Linux")
@pytest.mark.parametrize(
    "use", [use_client, use_notifier, use_async_client, use_async_notifier, use_campaign, use_sandbox]
)
def test_what_is_closed_keeps_no_descriptor(use: Callable[[str, Path], None], tmp_path: Path) -> None:
    """A process that makes and closes them for years does not run out of files."""

    def round_(folder: Path) -> Counter[str]:
        folder.mkdir()
        with Sandbox() as gateway:
            use(str(gateway.url), folder)
        return opened()

    before = round_(tmp_path / "1")  # what is imported and kept for good with the first use is open by now
    assert Counter() == round_(tmp_path / "2") - before
