"""What a server tells of itself, in SQL: by this ``failover`` knows whether it is the one that claims were made on."""

from __future__ import annotations

TIMELINE = "('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer"
"""The timeline that the server writes at the moment, which is another after each promotion."""

LOST = 0
"""What stands in the place of the timeline, which begins with 1, where commits have been missed."""

_STARTED = "extract(epoch FROM pg_postmaster_start_time())::double precision"

COLUMNS = f"s.timeline, {TIMELINE}, s.relation = s.tableoid, {_STARTED}"
"""What ``Watch.why`` judges by, of ``~server s``; it costs microseconds."""

IS_KNOWN = (
    f"s.timeline <> {LOST} AND (s.timeline = {TIMELINE} OR _trusts) AND s.relation = s.tableoid"
    f" AND {_STARTED} = _started"
)
"""Whether ``Watch.why`` would find nothing, of a server that it has looked at since that was ``_started``."""
