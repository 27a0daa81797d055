"""``devinotify webhook``: serves the app until it is told to stop.

The help of ``devinotify`` loads this module, so it loads the server only when it is called.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import click


@click.command("webhook", context_settings={"show_default": True})
@click.option(
    "--config", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="The receivers, as TOML."
)
@click.option(
    "--url",
    envvar="DEVINOTIFY_URL",
    show_envvar=True,
    metavar="URL",
    help="The account, where the file names none: devino://LOGIN:PASSWORD@SENDER/TO.",
)
@click.option("--to", multiple=True, metavar="TO", help="Without a file: who gets it; numbers or aliases.")
@click.option("--listen", metavar="HOST:PORT", help="Where to listen; 127.0.0.1:9876 unless the file says otherwise.")
@click.option("--no-worker", is_flag=True, help="Store only: `devinotify worker` sends, on the same outbox.")
@click.option("--check", is_flag=True, help="Say what is wrong with the configuration, or what it means, and end.")
def webhook(
    config: Path | None, url: str | None, to: tuple[str, ...], listen: str | None, *, no_worker: bool, check: bool
) -> None:
    """Take alerts from Alertmanager, Grafana and anything that can POST, and send them.

    What is stored is answered 200, and only what is not stored is refused. It runs until SIGTERM or Ctrl-C: what is
    being sent is finished then.
    """
    from devinotify_webhook.errors import ConfigError

    if config is not None and to:
        raise click.UsageError("--to is for running without a file: put it into the receivers")
    try:
        _run(config, url, to, listen, worker=not no_worker, check=check)
    except ConfigError as error:
        if error.retryable:
            raise  # nothing that was written is wrong: the outbox is away, and may come back
        # Not a UsageError, which sends people to --help: it says nothing of what stands in a file or on a port.
        raise click.ClickException(str(error)) from None


def _run(
    config: Path | None, url: str | None, to: tuple[str, ...], listen: str | None, *, worker: bool, check: bool
) -> None:
    from devinotify_webhook.config import checked, parse_listen
    from devinotify_webhook.loading import load
    from devinotify_webhook.serving import serve
    from devinotify_webhook.webhook import Webhook

    found = load(config, url=url, to=to)
    if listen is not None:
        host, port = parse_listen(listen, "--listen")
        found = checked(replace(found, host=host, port=port), "--listen", file=config is not None)
    app = Webhook(found, worker=worker, local=found.is_local)
    try:
        if check:
            for receiver in found.receivers.values():
                click.echo(receiver.told(app.house.reached(receiver)))
            return
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
        serve(app, click.echo)
    finally:
        app.close()
