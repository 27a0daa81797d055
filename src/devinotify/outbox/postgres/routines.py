"""What is done inside the server, so that to enqueue, to begin, to claim and to settle are one question each.

A question costs a round trip and, asked from outside, a plan of its own; here plans are kept for as long as the
server's session lasts, whoever uses it. These functions run with the rights of who calls them, and those that change
what is there in a transaction that ``begin_change`` has begun: under its settings their plans are made. A plan for a
list is kept, too (``force_generic_plan``): it is the same for one row and for a thousand. ``~`` stands for the schema's
name; a function that has been published is changed by a new version of the schema.
"""

from __future__ import annotations

import re

from devinotify.outbox.postgres.accounts import NOBODY, open_to_named
from devinotify.outbox.postgres.standing import COLUMNS
from devinotify.outbox.states import CODES, RowState

_ADD_ONE = """
CREATE FUNCTION ~add_one(
    _text text, _channel text, _moment double precision, _flags smallint, _account integer, _key text, _rest text,
    _recipient text, _step text, _not_before double precision, _deadline double precision,
    OUT _id bigint, OUT _due double precision
) LANGUAGE plpgsql AS $$
DECLARE
    _now double precision := coalesce(_moment, extract(epoch FROM clock_timestamp()));
BEGIN
    _id := nextval('~ids');
    INSERT INTO ~messages (id, text, channel, created_at, flags, account, key, rest)
    VALUES (_id, _text, _channel, _now, _flags, _account, _key, _rest)
    ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING;
    IF NOT FOUND THEN
        _id := NULL;
        RETURN;
    END IF;
    _due := greatest(_now, _not_before);
    INSERT INTO ~rows (id, message, recipient, channel, state, due, deadline, account)
    VALUES (_id, _id, _recipient, _step, 0, _due, _deadline, coalesce(_account, 0));
    INSERT INTO ~queue (id, message, channel, due, account)
    VALUES (_id, _id, _step, _due, coalesce(_account, 0));
END $$
"""
"""Does for one recipient, at this moment unless another is given, what ``add`` does for any number: to set the one
statement going by which that is done takes longer than these three. Returns NULL where the key is known."""

_BEGIN_CHANGE = f"""
CREATE FUNCTION ~begin_change(
    _last bigint, _next bigint, _durable boolean,
    OUT now double precision, OUT kept boolean,
    OUT timeline integer, OUT present integer, OUT same_table boolean, OUT started double precision
) LANGUAGE plpgsql AS $$
BEGIN
    -- Statistics of a queue are always wrong, and a scan of all rows is never what a change is meant to do, nor is it
    -- to sort all of a queue where an index has it in order. What is forbidden so counts as dear, and what is dear
    -- would be compiled first, which takes a tenth of a second.
    PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
        set_config('enable_sort', 'off', true), set_config('jit', 'off', true);
    DELETE FROM ~tokens t WHERE t.id = _last;
    kept := FOUND;
    INSERT INTO ~tokens (id) VALUES (_next);
    IF _durable THEN
        -- Confirmed by the standbys, where there are any that confirm.
        IF current_setting('synchronous_commit') IN ('off', 'local') THEN
            PERFORM set_config('synchronous_commit', 'on', true);
        END IF;
        SELECT {COLUMNS} INTO timeline, present, same_table, started FROM ~server s;
    END IF;
    now := extract(epoch FROM clock_timestamp());
END $$
"""  # noqa: S608 - our own words
"""Says how the transaction is planned, and puts its token in the place of the last one's; returns the time, whether
that was there and, of one that is ``durable``, what tells which server this is."""

HEADS = f"""
    SELECT head.* FROM (
        SELECT {NOBODY} AS id UNION ALL SELECT a.id FROM ~accounts a WHERE _account IS NULL OR a.id = _account
    ) AS whose CROSS JOIN LATERAL (
        SELECT q.due, q.message, q.channel, q.id, q.account FROM ~queue q
        WHERE q.account = whose.id AND q.due <= _now
            AND (q.due, q.message, q.channel, q.id) >= (_due, _message, _channel, _id)
            AND (_account IS NULL OR (true{open_to_named("q", "_account")}))
        ORDER BY q.due, q.message, q.channel, q.id LIMIT 1 LOCK
    ) AS head
"""  # noqa: S608 - our own words
"""The rows that have been due for longest, from a place on: one of each queue that an account may claim from."""

AHEAD = """-- Looked ahead without a lock, then locked one by one: what another worker holds by then is left to it.
        _rows := ARRAY(
            WITH ahead AS MATERIALIZED (
                SELECT next.id FROM (
                    SELECT q.id, q.message, q.channel FROM ~queue q
                    WHERE q.account = _queue AND q.due <= _now
                        AND (q.due, q.message, q.channel, q.id) >= (_due, _message, _channel, _id)
                    ORDER BY q.due, q.message, q.channel, q.id LIMIT _ahead
                ) AS next WHERE next.message = _message AND next.channel = _channel LIMIT _limit
            )
            SELECT q.id FROM ~queue q WHERE q.id = ANY(ARRAY(SELECT a.id FROM ahead a)) AND q.due <= _now
            FOR UPDATE OF q SKIP LOCKED
        );"""
"""Puts what is claimed with the first row into ``_rows``, and locks it."""

_IS_IDLE = f"""
CREATE FUNCTION ~is_idle(
    _now double precision, _account integer,
    _due double precision, _message bigint, _channel text, _id bigint
) RETURNS boolean LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off AS $$
BEGIN
    RETURN NOT EXISTS ({HEADS.replace("LOCK", "")});
END $$
"""
"""Returns whether an account, or with NULL everybody, has nothing to claim from a place on. It is asked outside of what
``begin_change`` begins: a plan that was made for an empty queue is kept until there are statistics of a full one."""

_MOVE = """
CREATE FUNCTION ~move(_claim bigint, _worker text, _now double precision, _rows bigint[])
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    WITH taken AS (DELETE FROM ~queue q WHERE q.id = ANY(_rows) RETURNING q.id)
    INSERT INTO ~claims (id, worker, claimed_at, rows)
    SELECT _claim, w.name, _now, (SELECT array_agg(t.id ORDER BY t.id) FROM taken t)
    FROM ~workers w WHERE w.name = _worker FOR KEY SHARE OF w;
    RETURN FOUND;
END $$
"""
"""Moves rows from the queue to a new claim; returns whether it was made: not where the worker is taken for dead."""

_CLAIM = f"""
CREATE FUNCTION ~NAME(
    _claim bigint, _worker text, _now double precision, _account integer, _limit integer, _ahead integer,
    _rows bigint[],
    INOUT _due double precision, INOUT _message bigint, INOUT _channel text, INOUT _id bigint,
    OUT opened boolean,
    OUT ids bigint[], OUT recipients text[], OUT attempts integer[], OUT dues double precision[],
    OUT deadlines double precision[], OUT parents bigint[], OUT stories bigint[],ALSO_TOLD
    OUT text text, OUT channel text, OUT created_at double precision, OUT flags smallint, OUT account text,
    OUT key text, OUT rest text
) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    _queue integer;
    _timely bigint[];
BEGIN
    IF _rows IS NULL THEN
        SELECT h.* INTO _due, _message, _channel, _id, _queue
        FROM ({HEADS.replace("LOCK", "FOR UPDATE OF q SKIP LOCKED")}) AS h
        ORDER BY h.due, h.message, h.channel, h.id LIMIT 1;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        {AHEAD}
    END IF;
    SELECT min(r.message), min(r.channel), array_agg(r.id), array_agg(r.recipient), array_agg(r.attempts),
        array_agg(r.due), array_agg(r.deadline), array_agg(r.parent), array_agg(r.story),ALSO_ASKED
        array_agg(r.id) FILTER (WHERE r.deadline IS NULL OR r.deadline >= _now)
    INTO _message, _channel, ids, recipients, attempts, dues, deadlines, parents, stories,ALSO_FOUND _timely
    FROM (SELECT * FROM ~rows o WHERE o.id = ANY(_rows) ORDER BY o.id) AS r;
    opened := _timely IS NULL OR ~move(_claim, _worker, _now, _timely);
    SELECT m.text, m.channel, m.created_at, m.flags, (SELECT a.name FROM ~accounts a WHERE a.id = m.account), m.key,
        m.rest
    INTO text, channel, created_at, flags, account, key, rest
    FROM ~messages m WHERE m.id = _message;
END $$
"""  # noqa: S608 - our own words
"""Claims up to ``_limit`` due rows of one message and channel: of those that have been due for longest from a place on,
as far as they stand among the next ``_ahead``, or ``_rows``, which the caller holds in the queue. Those whose deadline
has passed are left out of the claim. Returns the place of the first, all the rows that were found, column by column in
the order of their ids, and their message in MESSAGE_COLUMNS; ``opened`` is NULL where none was found, and false where
the worker is taken for dead."""

_ACCEPT = f"""
CREATE FUNCTION ~accept(
    _claim bigint,
    _segments integer, _sent_at double precision, _resends smallint, _next_poll_at double precision,
    _watch_until double precision, _patience_until double precision,
    _rows bigint[], _message_ids text[], _vias text[], _late bigint[]
) RETURNS boolean LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF _claim IS NOT NULL THEN
        DELETE FROM ~claims c WHERE c.id = _claim AND c.rows = _rows;
        IF NOT FOUND THEN
            RETURN false;
        END IF;
    END IF;
    UPDATE ~rows r SET state = {CODES[RowState.ACCEPTED]}, claim = NULL,
        attempts = r.attempts + (given.id = ANY(_late) IS NOT TRUE)::integer,
        error = NULL, error_code = NULL, error_reason = NULL, error_text = NULL, segments = _segments,
        sent_at = _sent_at, resends = _resends, next_poll_at = _next_poll_at, watch_until = _watch_until,
        patience_until = _patience_until, message_ids = given.ids, via = given.via
    FROM unnest(_rows, _message_ids, _vias) AS given (id, ids, via)
    WHERE r.id = given.id;
    RETURN true;
END $$
"""  # noqa: S608 - our own words
"""Writes down what was accepted alike, of rows in the order of their ids; the attempts of those that are ``_late`` have
been counted. ``_claim`` is closed with it; where that is not of exactly these rows, nothing is done, and false told."""


def _claim(name: str, told: str = "", asked: str = "", found: str = "") -> str:
    """Return what makes a function that claims, and tells more of each row."""
    more = {"NAME": name, "ALSO_TOLD": told, "ALSO_ASKED": asked, "ALSO_FOUND": found}
    return re.sub("|".join(more), lambda mark: more[mark[0]], _CLAIM)


ROUTINES: tuple[str, ...] = (_ADD_ONE, _BEGIN_CHANGE, _IS_IDLE, _MOVE, _claim("claim"), _ACCEPT)
"""Makes those of version 7, those first on which others stand."""

CLAIM_ROWS = _claim("claim_rows", " OUT owns smallint[],", " array_agg(r.own_deadline),", " owns,")
"""Makes that of version 8, under a name of its own: workers that began with version 7 go on."""
