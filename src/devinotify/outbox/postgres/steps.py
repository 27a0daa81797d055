"""A worker's two steps, in the server, each of which may be a transaction of its own: one question, and no other.

BEGIN and COMMIT cost a round trip each, and take longer than the step between them. A statement by itself is a
transaction, too, if it does all that belongs to one: the token (``database``), the look at the server (``failover``).
What is not as it mostly is, such as rows whose deadline has passed, is left alone then, and nothing but the token is
changed: whoever asks does it in a transaction that ``begin_change`` has begun. ``~`` stands for the schema's name; a
function that has been published is changed by a new version of the schema.
"""

from __future__ import annotations

from devinotify.outbox.postgres.accounts import NOBODY
from devinotify.outbox.postgres.routines import AHEAD, HEADS
from devinotify.outbox.postgres.standing import IS_KNOWN

_PLANNED = (
    "SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off"
    " SET enable_sort = off SET jit = off"
)
"""As ``begin_change`` has plans made."""

_USUAL = "current_setting('transaction_isolation') = 'read committed'"
"""Whether a statement by itself is a transaction such as is begun otherwise: a role or a database may have others."""

_TAKE = f"""
CREATE FUNCTION ~take(
    _last bigint, _next bigint, _started double precision, _trusts boolean,
    _claim bigint, _worker text, _now double precision, _account integer, _limit integer, _ahead integer,
    _rows bigint[],
    INOUT _due double precision, INOUT _message bigint, INOUT _channel text, INOUT _id bigint,
    OUT opened boolean,
    OUT ids bigint[], OUT recipients text[], OUT attempts integer[], OUT dues double precision[],
    OUT deadlines double precision[], OUT parents bigint[], OUT stories bigint[], OUT owns smallint[],
    OUT text text, OUT channel text, OUT created_at double precision, OUT flags smallint, OUT account text,
    OUT key text, OUT rest text,
    OUT now double precision
) LANGUAGE plpgsql {_PLANNED} AS $$
DECLARE
    _queue integer;
    _timely bigint[];
BEGIN
    IF _last IS NOT NULL THEN
        IF NOT ({_USUAL} AND EXISTS (SELECT FROM ~server s WHERE {IS_KNOWN})) THEN
            RETURN;
        END IF;
        UPDATE ~tokens t SET id = _next, made_at = now() WHERE t.id = _last;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        IF current_setting('synchronous_commit') IN ('off', 'local') THEN
            PERFORM set_config('synchronous_commit', 'on', true);
        END IF;
        now := extract(epoch FROM clock_timestamp());
        _now := coalesce(_now, now);
    END IF;
    IF _rows IS NULL THEN
        SELECT h.* INTO _due, _message, _channel, _id, _queue
        FROM ({HEADS.replace("LOCK", "FOR UPDATE OF q SKIP LOCKED")}) AS h
        ORDER BY h.due, h.message, h.channel, h.id LIMIT 1;
        IF NOT FOUND OR (_last IS NOT NULL AND _account IS NOT NULL AND _queue = {NOBODY}) THEN
            RETURN;
        END IF;
        {AHEAD}
    END IF;
    SELECT min(r.message), min(r.channel), array_agg(r.id), array_agg(r.recipient), array_agg(r.attempts),
        array_agg(r.due), array_agg(r.deadline), array_agg(r.parent), array_agg(r.story), array_agg(r.own_deadline),
        array_agg(r.id) FILTER (WHERE r.deadline IS NULL OR r.deadline >= _now)
    INTO _message, _channel, ids, recipients, attempts, dues, deadlines, parents, stories, owns, _timely
    FROM (SELECT * FROM ~rows o WHERE o.id = ANY(_rows) ORDER BY o.id) AS r;
    IF _last IS NOT NULL AND cardinality(ids) IS DISTINCT FROM cardinality(_timely) THEN
        RETURN;
    END IF;
    opened := _timely IS NULL OR ~move(_claim, _worker, _now, _timely);
    IF _last IS NOT NULL AND NOT opened THEN
        RAISE EXCEPTION 'devinotify: this worker has been taken for dead'; -- to have its rows stay in the queue
    END IF;
    SELECT m.text, m.channel, m.created_at, m.flags, (SELECT a.name FROM ~accounts a WHERE a.id = m.account), m.key,
        m.rest
    INTO text, channel, created_at, flags, account, key, rest
    FROM ~messages m WHERE m.id = _message;
END $$
"""  # noqa: S608 - our own words
"""Does what ``claim_rows`` does, in the same way, in a transaction or, where ``_last`` is given, as one. Then ``now``
is told, when the token was exchanged, and NULL where nothing was done at all; and nothing is claimed where rows are
late, or may be of a message that is to become the account's, or where the server is not the one that was looked at
since it was ``_started``."""

_SETTLE = f"""
CREATE FUNCTION ~settle(
    _last bigint, _next bigint, _claim bigint,
    _segments integer, _sent_at double precision, _resends smallint, _next_poll_at double precision,
    _watch_until double precision, _patience_until double precision,
    _rows bigint[], _message_ids text[], _vias text[]
) RETURNS boolean LANGUAGE plpgsql {_PLANNED} AS $$
BEGIN
    IF NOT ({_USUAL} AND ~accept(
        _claim, _segments, _sent_at, _resends, _next_poll_at, _watch_until, _patience_until, _rows, _message_ids, _vias,
        NULL
    )) THEN
        RETURN false;
    END IF;
    UPDATE ~tokens t SET id = _next, made_at = now() WHERE t.id = _last;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'devinotify: what was committed last is not there any more';
    END IF;
    RETURN true;
END $$
"""  # noqa: S608 - as above
"""Does what ``accept`` does of a claim of exactly these rows, as a transaction; false is told where nothing was done: a
token that is there tells that all was."""

STEPS: tuple[str, ...] = (_TAKE, _SETTLE)
"""Makes those of version 9."""
