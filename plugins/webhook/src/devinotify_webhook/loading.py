"""Where a configuration comes from: a TOML file, a mapping of the same shape, or the environment alone."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devinotify import DevinoURL, InvalidURL

from devinotify_webhook.config import Config, parse, without_file
from devinotify_webhook.errors import ConfigError

if TYPE_CHECKING:
    import os


def load(
    source: str | os.PathLike[str] | Mapping[str, Any] | Config | None,
    *,
    url: str | None = None,
    to: Sequence[str] = (),
) -> Config:
    """Return the configuration in a file, by its path, or in a mapping of the file's shape.

    Without either, whatever is posted goes ``to`` these recipients, or to the targets of the URL. ``url`` is the
    account where the file names none; without it, that of DEVINOTIFY_URL or of the file that DEVINOTIFY_URL_FILE names.
    Raises ConfigError that names what is wrong.
    """
    if isinstance(source, Config):
        return source
    account = url or _given()
    if source is None:
        return without_file(account, to)
    return parse(source if isinstance(source, Mapping) else _file(Path(source)), account)


def _given() -> str | None:
    try:
        return DevinoURL.in_environment()
    except InvalidURL as error:
        raise ConfigError(str(error)) from None


def _file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.expanduser().read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or type(error).__name__}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: it is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        # The words name a line and a column; what stands there may be a secret.
        raise ConfigError(f"{path}: it is not TOML: {error}") from None
