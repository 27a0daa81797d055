"""What a server tells of itself, in SQL: by this ``failover`` knows whether it is the one that claims were made on."""

from __future__ import annotations

TIMELINE = "('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer"
"""The timeline that the server writes at the moment, which is another after each promotion."""

_STARTED = "extract(epoch FROM pg_postmaster_start_time())::double precision"

COLUMNS = f"s.timeline, {TIMELINE}, s.relation = s.tableoid, {_STARTED}"
"""What ``Watch.why`` judges by, of ``~server s``; it costs microseconds."""
