"""Passwords that ``devinotify login`` has put away: in the system's keyring, or each in a file for its owner alone.

They are known by their account, ``LOGIN@host/path``: what was put away for one gateway is never sent to another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from devinotify.exceptions import InvalidInput, InvalidURL
from devinotify.files import replaced
from devinotify.folders import NAME, config_folder
from devinotify.redact import Secret
from devinotify.translation import N_
from devinotify.words import installing

if TYPE_CHECKING:
    from pathlib import Path

    from keyring.backend import KeyringBackend

SERVICE = NAME
"""The name under which a keyring has them; the user name beside it is the account."""
_FOLDER = "passwords"
KEYRING = N_("the system's keyring")


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a password was put, in words, and why it was not the keyring where that was tried first."""

    place: str
    reason: str = ""


class _NoKeyring(InvalidInput):
    """There is no keyring to be asked, which is not a fault."""


def file_of(account: str) -> Path:
    """Return the file that the account's password is in where it is in one; RuntimeError without a home folder."""
    return config_folder() / NAME / _FOLDER / quote(account, safe="@")


def in_keyring(account: str) -> Secret | None:
    """Return the account's password in the keyring; ``None`` where it has none, or where there is no keyring.

    Raises InvalidURL where there is a keyring that cannot be asked: it is locked, say.
    """
    try:
        return _asked(account)
    except _NoKeyring:
        return None
    except InvalidInput as unusable:
        reason = str(unusable)
    raise InvalidURL(f"the password: {reason}")


def keep(account: str, password: str, *, keyring: bool | None = None) -> Kept:
    """Put the password away and return where: in the keyring, and in a file where that cannot be; ``keyring`` decides.

    It is then in no other place of the two. Raises InvalidInput where the keyring was asked for and cannot be used,
    or where no file can be written.
    """
    password, reason = Secret(password), ""
    if keyring is not False:
        try:
            _put(account, password)
        except InvalidInput as unusable:
            reason = str(unusable)
        else:
            _remove_file(account)
            return Kept(KEYRING)
        if keyring:
            raise InvalidInput(reason)
    path = _write(account, password)
    _remove_from_keyring(account)
    return Kept(str(path), reason)


def is_kept(account: str) -> bool:
    """Whether ``keep`` has put away a password of the account; not where it is in a keyring that cannot be asked."""
    try:
        if file_of(account).exists():
            return True
    except (OSError, RuntimeError):  # RuntimeError: no home folder
        pass
    try:
        return _asked(account) is not None
    except InvalidInput:
        return False


def forget(account: str) -> list[str]:
    """Remove the account's password wherever ``keep`` may have put it, and return from where, in words."""
    removed = [KEYRING] if _remove_from_keyring(account) else []
    return [*removed, *([str(file_of(account))] if _remove_file(account) else [])]


def _backend() -> KeyringBackend:
    """Return the keyring of this system; raise InvalidInput where it cannot be used."""
    try:
        import keyring
        from keyring.backends.fail import Keyring as Missing
        from keyring.backends.null import Keyring as Null
    except ImportError:
        raise _NoKeyring(f"keyring is not installed: {installing('keyring')}") from None
    try:
        found = keyring.get_keyring()
    except Exception as error:  # noqa: BLE001 - what loads a backend is others' code, of any system
        raise InvalidInput(f"the keyring cannot be used ({type(error).__name__})") from None
    if isinstance(found, (Missing, Null)):
        raise _NoKeyring("this system has no keyring")
    return found


def _asked(account: str) -> Secret | None:
    backend = _backend()
    try:
        return Secret(backend.get_password(SERVICE, account) or "") or None
    except Exception as error:  # noqa: BLE001 - a backend is others' code; its words may hold what it was asked for
        reason = type(error).__name__
    raise InvalidInput(f"the keyring cannot be asked ({reason})")


def _put(account: str, password: Secret) -> None:
    backend = _backend()
    try:
        backend.set_password(SERVICE, account, str(password))
    except Exception as error:  # noqa: BLE001 - as above
        reason = type(error).__name__
    else:
        if _asked(account) == password:  # some take what they do not keep
            return
        reason = "it does not keep what it is given"
    raise InvalidInput(f"the keyring cannot be used ({reason})")


def _remove_from_keyring(account: str) -> bool:
    try:
        backend = _backend()
        if _asked(account) is None:
            return False
    except InvalidInput:
        return False
    try:
        backend.delete_password(SERVICE, account)
    except Exception as error:  # noqa: BLE001 - as above
        reason = type(error).__name__
    else:
        return True
    raise InvalidInput(f"the password is still in the keyring, which does not remove it ({reason})")


def _write(account: str, password: Secret) -> Path:
    if set(password) & set("\r\n\0"):
        raise InvalidInput("the password must be one line")
    try:
        path = file_of(account)
        for folder in (path.parent.parent, path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with replaced({path: "utf-8"}) as opened:  # made for its owner alone, before anything is in it
            opened[path].write(password)
    except (OSError, RuntimeError) as error:  # RuntimeError: no home folder
        reason = getattr(error, "strerror", None) or "there is no home folder"
    else:
        return path
    raise InvalidInput(f"the password cannot be written to a file: {reason}")


def _remove_file(account: str) -> bool:
    try:
        path = file_of(account)
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None)
    else:
        return True
    if reason is None:  # no home folder, so no file in it
        return False
    raise InvalidInput(f"the password is still in {path}: {reason}")
