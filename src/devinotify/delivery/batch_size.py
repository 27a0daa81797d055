"""How large a batch may be after something went wrong, and whom a refusal is about: a recipient, or the account. Pure.

A gateway that refuses a batch for no recipient's sake (no right, no such sender) may mean one number in it all the
same, or everybody. So the batch is put back, and what follows is tried one by one, in batches that double with each
success. Whoever is refused alone is to blame where others were accepted after his refusal; where nobody is, it is the
account. After an outcome that is unknown as few as can be share the next one.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

ALONE = 3
"""Times in a row that a recipient is refused alone, where nobody else is left to be tried, before the blame is his."""


class Caution:
    """The size of the next batch, from one to ``most``, and the suspects; thread-safe.

    ``begin`` gives each batch the mark that it is told of by when it has ended. Counted are ``refusals`` in a row, and
    ``doubts`` since batches had their full size; what was under way when one came is no further one.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._size = most
        self._mark = 0
        self._witnessed = 0  # the latest mark of a batch that began with it and went well
        self._wells = 0
        self._suspects: dict[str, tuple[int, int]] = {}  # recipient -> mark of the first refusal, times refused alone
        self.refusals: int = 0
        self.doubts: int = 0

    @property
    def size(self) -> int:
        """Recipients that the next batch may have."""
        return self._size

    @property
    def has_suspects(self) -> bool:
        """Whether anybody has been refused who may be to blame, or the account in his place."""
        return bool(self._suspects)

    def begin(self) -> int:
        """Return the mark of a batch that is about to be sent."""
        return self._mark

    def well(self, began: int) -> None:
        """Take note that a batch was accepted."""
        with self._lock:
            self._wells += 1
            self._witnessed = max(self._witnessed, began)
            self._size = min(2 * self._size, self._most)
            self.refusals = 0
            if self._size == self._most:
                self.doubts = 0

    def doubt(self, began: int) -> None:
        """Take note of a batch whose outcome is unknown."""
        with self._lock:
            self._size = 1
            if began == self._mark:
                self._mark += 1
                self.doubts += 1

    def refused(self, began: int, recipients: Collection[str]) -> bool:
        """Take note that a whole batch was refused; return whether its one recipient is to blame."""
        with self._lock:
            self._size = 1
            if len(recipients) == 1 and self._is_to_blame(*recipients):
                return True
            if began == self._mark:
                self._mark += 1
                self.refusals += 1
            for recipient in recipients:
                self._suspects.setdefault(recipient, (self._mark, 0))
            return False

    def _is_to_blame(self, recipient: str) -> bool:
        since, alone = self._suspects.get(recipient, (self._mark + 1, 0))
        alone += 1
        if self._witnessed >= since or (alone >= ALONE and self._wells):
            self._suspects.pop(recipient, None)
            self.refusals = 0
            return True
        self._suspects[recipient] = (since, alone)
        return False
