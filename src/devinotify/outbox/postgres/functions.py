"""What can be called in the database: ``enqueue``, for every driver and language, and what it stands on.

``add`` stores a message and its rows; whoever calls it needs the tables' privileges. ``enqueue`` checks what it is
given and stores it with the privileges of its owner, so that a role that enqueues reads and changes nothing else.
``~`` stands for the schema's name; a function that has been published is changed by a new version of the schema.
"""

from __future__ import annotations

from devinotify.phones.number import E164
from devinotify.url import CHANNEL

_ADD = """
CREATE FUNCTION ~add(
    _moment double precision, _text text, _channel text, _flags smallint, _rest text, _account integer, _key text,
    _recipients text[], _step text, _not_before double precision, _deadline double precision
) RETURNS TABLE (id bigint, due double precision) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH given AS MATERIALIZED (
        SELECT nextval('~ids') AS id, recipient, greatest(_moment, _not_before) AS due
        FROM unnest(_recipients) WITH ORDINALITY AS u (recipient, place) ORDER BY place
    ),
    message AS (
        INSERT INTO ~messages (id, key, text, channel, created_at, flags, rest, account)
        SELECT min(g.id), _key, _text, _channel, _moment, _flags, _rest, _account FROM given g HAVING count(*) > 0
        ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING RETURNING id
    ),
    added AS (
        INSERT INTO ~rows (id, message, recipient, channel, state, due, deadline, account)
        SELECT g.id, m.id, g.recipient, _step, 0, g.due, _deadline, coalesce(_account, 0)
        FROM given g CROSS JOIN message m
    ),
    waiting AS (
        INSERT INTO ~queue (id, message, channel, due, account)
        SELECT g.id, m.id, _step, g.due, coalesce(_account, 0) FROM given g CROSS JOIN message m
    )
    SELECT g.id, g.due FROM given g CROSS JOIN message m ORDER BY g.id;
END $$
"""
"""Returns the ids of the rows in the order of their recipients, and from when on they may be sent: no line where the
key is known. The message has the id of its first row."""

_ENQUEUED = """
CREATE TYPE ~enqueued AS (
    id bigint, message bigint, recipient text, channel text, state text, attempts integer,
    not_before double precision, deadline double precision, known boolean
)
"""

_ENQUEUE = r"""
CREATE FUNCTION ~enqueue(
    message text,
    recipients text[],
    account text,
    key text DEFAULT NULL,
    channel text DEFAULT 'sms',
    title text DEFAULT NULL,
    sender text DEFAULT NULL,
    validity integer DEFAULT NULL,
    send_at timestamptz DEFAULT NULL,
    local_time timestamp DEFAULT NULL,
    tags text[] DEFAULT NULL,
    deadline timestamptz DEFAULT NULL,
    not_before timestamptz DEFAULT NULL,
    original_time timestamptz DEFAULT NULL,
    patience double precision DEFAULT NULL,
    watch boolean DEFAULT true,
    fallback boolean DEFAULT false,
    meta jsonb DEFAULT NULL,
    step text DEFAULT NULL
) RETURNS SETOF ~enqueued LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    _to text[];
    _step text := coalesce(enqueue.step, enqueue.channel);
    _account integer;
    _rest jsonb;
    _message bigint;
    _wrong text;
BEGIN
    SELECT array_agg(u.recipient ORDER BY u.place) INTO _to FROM (
        SELECT r AS recipient, min(o) AS place FROM unnest(enqueue.recipients) WITH ORDINALITY AS g (r, o) GROUP BY r
    ) AS u;
    _wrong := CASE
        WHEN coalesce(enqueue.message, '') = '' THEN 'the text is empty'
        WHEN _to IS NULL THEN 'there is nobody to send to'
        WHEN EXISTS (
            SELECT FROM unnest(_to) AS r WHERE r IS NULL OR regexp_match(r, '^<E164>$') IS NULL
        ) THEN 'each recipient is a number in E.164, such as +79161234567'
        WHEN position('@' IN coalesce(enqueue.account, '@')) = 0 THEN 'an account is written LOGIN@host[:port]/path'
        WHEN coalesce(regexp_match(enqueue.channel, '^<CHANNEL>$'), '{}') = '{}'
            OR regexp_match(_step, '^<CHANNEL>$') IS NULL
            THEN 'a channel is named by small letters, digits, ''_'' and ''-'''
        WHEN enqueue.validity < 1 THEN 'the validity is a number of minutes from 1 up'
        WHEN enqueue.send_at IS NOT NULL AND enqueue.local_time IS NOT NULL
            THEN 'either send_at or local_time is given'
        WHEN NOT (enqueue.local_time >= '1970-01-01' AND enqueue.local_time < '10000-01-01')
            OR EXISTS (
                SELECT FROM unnest(ARRAY[
                    enqueue.send_at, enqueue.deadline, enqueue.not_before, enqueue.original_time
                ]) AS t WHERE t < '1970-01-01Z' OR t >= '10000-01-01Z'
            ) THEN 'a time lies in the years 1970 to 9999'
        WHEN NOT (enqueue.patience >= 0 AND enqueue.patience < 'infinity')
            THEN 'patience is a number of seconds from 0 up'
        WHEN array_position(enqueue.tags, NULL) IS NOT NULL THEN 'a tag is a text'
        WHEN jsonb_typeof(enqueue.meta) <> 'object' THEN 'meta is a JSON object'
    END;
    IF _wrong IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'devinotify: ' || _wrong;
    END IF;

    _rest := jsonb_strip_nulls(jsonb_build_object(
        'title', enqueue.title,
        'sender', enqueue.sender,
        'validity', enqueue.validity,
        'send_at', coalesce(
            to_char(enqueue.send_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
            to_char(enqueue.local_time, 'YYYY-MM-DD"T"HH24:MI:SS.US')
        ),
        'tags', (SELECT jsonb_agg(t ORDER BY t) FROM unnest(enqueue.tags) AS t),
        'original_time', extract(epoch FROM enqueue.original_time),
        'patience', enqueue.patience
    ));
    IF enqueue.meta IS NOT NULL AND enqueue.meta <> '{}' THEN
        _rest := _rest || jsonb_build_object('meta', enqueue.meta);
    END IF;

    IF enqueue.account IS NOT NULL THEN
        SELECT a.id INTO _account FROM ~accounts a WHERE a.name = enqueue.account;
        IF _account IS NULL THEN
            INSERT INTO ~accounts (name) VALUES (enqueue.account) ON CONFLICT DO NOTHING;
            SELECT a.id INTO _account FROM ~accounts a WHERE a.name = enqueue.account;
        END IF;
    END IF;

    LOOP
        RETURN QUERY
            SELECT a.id, min(a.id) OVER (), _to[row_number() OVER (ORDER BY a.id)], _step, 'queued'::text, 0, a.due,
                extract(epoch FROM enqueue.deadline)::double precision, false
            FROM ~add(
                extract(epoch FROM clock_timestamp())::double precision, enqueue.message, enqueue.channel,
                (coalesce(enqueue.watch, true)::integer + 2 * coalesce(enqueue.fallback, false)::integer)::smallint,
                nullif(_rest, '{}')::text, _account, enqueue.key, _to, _step,
                extract(epoch FROM enqueue.not_before)::double precision,
                extract(epoch FROM enqueue.deadline)::double precision
            ) AS a ORDER BY a.id;
        IF FOUND THEN
            RETURN;
        END IF;
        SELECT m.id INTO _message FROM ~messages m WHERE m.key = enqueue.key;
        IF FOUND THEN
            RETURN QUERY
                SELECT r.id, r.message, r.recipient::text, r.channel::text,
                    CASE WHEN r.state = 0 AND q.id IS NULL THEN 'claimed' ELSE (ARRAY['queued', 'claimed', 'accepted',
                        'rejected', 'not_sent', 'unknown', 'delivered', 'failed'])[r.state + 1] END,
                    r.attempts, r.due, r.deadline, true
                FROM ~rows r LEFT JOIN ~queue q ON q.id = r.id WHERE r.message = _message ORDER BY r.id;
            RETURN;
        END IF;
        -- Removed by another since the key was found to be known: it is free now.
    END LOOP;
END $$
"""
"""Returns a line for each distinct recipient; for those of then, with ``known``, where the key is known."""

FUNCTIONS: tuple[str, ...] = (
    _ADD,
    _ENQUEUED,
    _ENQUEUE.replace("<E164>", E164).replace("<CHANNEL>", CHANNEL),
    # What runs with its owner's privileges is for those who were given it.
    "REVOKE ALL ON FUNCTION ~enqueue FROM PUBLIC",
)
"""Makes the functions of version 2."""
