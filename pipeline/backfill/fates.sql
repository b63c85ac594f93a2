-- The evidence (pipeline/backfill/evidence.py) put together row by row, for DuckDB. The variables are set by fates.py.

CREATE TABLE line AS
SELECT
    row_number() OVER () AS line,
    *,
    list_contains(filled, getvariable('period')) AS fills_period,
    list_contains(filled, getvariable('slot')) AS fills_slot,
    list_contains(filled, getvariable('service')) AS fills_service
FROM lines;

CREATE TABLE claims AS
SELECT line, unnest(ids) AS id, true AS standing FROM line
UNION ALL
SELECT line, unnest(left_alone), false FROM line;

-- Our own transactions: what they began with and ended at (UTC), and what they emptied.
CREATE TABLE transactions AS
SELECT
    xid,
    min(began) AS began,
    max(ended) AS ended,
    min(started) AS started,
    any_value(zone) AS zone,
    bool_or(undoing) AS undoing,
    flatten(list(emptied)) AS emptied
FROM (
    SELECT writer AS xid, started AS began, finished AS ended, started, zone, false AS undoing, []::VARCHAR[] AS emptied
    FROM line WHERE NOT by_trigger
    UNION ALL
    -- An undo changes rows and line in one transaction. Only its end is known; its statement lasts no minute.
    SELECT line_writer, undone_at - INTERVAL 1 MINUTE, undone_at, NULL, zone, true, filled
    FROM line WHERE undone > 0 AND line_writer NOT IN (SELECT writer FROM line WHERE NOT by_trigger)
)
GROUP BY xid;

CREATE TABLE planned AS
FROM dictionary
UNION ALL
SELECT raw, period, start FROM ledger_plan WHERE increment > 0;

-- What the lines say of each row, and whether the row is still as one of them left it.
CREATE TABLE held AS
SELECT
    c.id,
    bool_or(c.standing AND n.writer = l.writer) AS stands,
    bool_or(c.standing AND n.writer = l.writer AND n.fills_period) AS period_stands,
    bool_or(c.standing AND n.writer = l.writer AND n.fills_slot) AS slot_stands,
    bool_or(c.standing AND n.writer = l.writer AND n.fills_service) AS service_stands,
    bool_or(c.standing AND n.fills_period) AS period_named,
    bool_or(n.fills_period OR len(n.filled) = 0) AS period_claimed,
    bool_or(c.standing AND n.fills_slot) AS slot_named,
    bool_or(n.fills_slot OR len(n.filled) = 0) AS slot_claimed,
    bool_or(c.standing AND n.fills_service) AS service_named,
    bool_or(n.fills_service OR len(n.filled) = 0) AS service_claimed,
    count(*) FILTER (c.standing) AS claims
FROM claims c JOIN line n USING (line) LEFT JOIN live l USING (id)
GROUP BY c.id;

-- Rows that are still as the trigger left them.
CREATE TABLE noted AS
SELECT
    n.id,
    bool_or(n.period = l.period) AS period,
    bool_or(n.slot = l.slot) AS slot,
    bool_or(n.service AND l.service_id IS NOT NULL) AS service
FROM notes n JOIN live l ON l.id = n.id AND l.writer = n.writer
GROUP BY n.id;

CREATE TABLE twice AS
SELECT a.id, bool_or(x.batch = y.batch) AS at_once
FROM claims a
JOIN claims b ON a.id = b.id AND a.line < b.line AND a.standing AND b.standing
JOIN line x ON x.line = a.line
JOIN line y ON y.line = b.line
WHERE a.id IN (SELECT id FROM held WHERE claims > 1) AND list_has_any(x.filled, y.filled)
GROUP BY a.id
UNION ALL
SELECT id, true FROM claims WHERE standing GROUP BY line, id HAVING count(*) > 1;

-- Transactions are numbered round and round: of two, the later one is less than half the round ahead.
CREATE MACRO is_later(one, other) AS (one - other + 4294967296) % 4294967296 BETWEEN 1 AND 2147483647;

-- Whether a moment lies in a transaction, give or take the millisecond to which the column may be rounded.
CREATE MACRO lies_in(moment, began, ended) AS
    moment BETWEEN began - INTERVAL 1 MILLISECOND AND ended + INTERVAL 1 MILLISECOND;

CREATE VIEW seen AS
SELECT
    l.*,
    p.period AS planned,
    p.start AS planned_start,
    s.code IS NOT NULL AS known_service,
    s.id IS NOT DISTINCT FROM l.service_id
        AND s.name IS NOT DISTINCT FROM l.service_name
        AND s.duration IS NOT DISTINCT FROM l.duration AS service_fits,
    coalesce(is_later(s.writer, l.writer), false) AS service_edited,
    l.service_id IS NULL AND l.service_name IS NULL AND l.duration IS NULL AS no_service,
    -- Of the ledger.
    coalesce(h.stands, false) AS stands,
    coalesce(h.period_stands, false) AS period_stands,
    coalesce(h.slot_stands, false) AS slot_stands,
    coalesce(h.service_stands, false) AS service_stands,
    coalesce(h.stands AND h.period_named, false) AS period_named,
    coalesce(h.period_claimed, false) AS period_claimed,
    coalesce(h.stands AND h.slot_named, false) AS slot_named,
    coalesce(h.slot_claimed, false) AS slot_claimed,
    coalesce(h.stands AND h.service_named, false) AS service_named,
    coalesce(h.service_claimed, false) AS service_claimed,
    coalesce(n.period, false) AS period_noted,
    coalesce(n.slot, false) AS slot_noted,
    coalesce(n.service, false) AS service_noted,
    -- Of the transaction that wrote the row last.
    t.xid IS NOT NULL AS ours,
    coalesce(t.undoing, false) AS undoing,
    coalesce(t.emptied, []) AS emptied,
    getvariable('applied') AND coalesce(is_later(l.writer, getvariable('last_look')), false) AS late,
    -- Since extract.
    e.id IS NULL AS arrived,
    e.current_period IS NOT NULL AS was_set,
    e.id IS NOT NULL AND (
        l.raw IS DISTINCT FROM e.raw
        OR (getvariable('comparable') AND e.fingerprint IS NOT NULL AND l.fingerprint IS DISTINCT FROM e.fingerprint)
    ) AS differs,
    e.id IS NOT NULL AND l.updated_at IS NOT DISTINCT FROM e.updated_at AS same_update,
    -- A trigger may have set it at any moment of our transaction, and in the zone of our session.
    getvariable('triggers') AND coalesce(
        lies_in(l.updated_at, t.began, t.ended) OR lies_in(l.updated_at - to_seconds(t.zone), t.began, t.ended), false
    ) AS updated_meanwhile,
    coalesce(
        lies_in(l.updated_at, t.started, t.started)
        OR lies_in(l.updated_at - to_seconds(t.zone), t.started, t.started), false
    ) AS updated_by_us
FROM live l
LEFT JOIN extract.reservations e USING (id)
LEFT JOIN held h USING (id)
LEFT JOIN noted n USING (id)
LEFT JOIN planned p ON p.raw = l.raw
LEFT JOIN services s ON s.code = l.code
LEFT JOIN transactions t ON t.xid = l.writer;

-- The order of the lines is meaning: the first that holds is the row's fate. A row that one of our batches filled and
-- another wrote to afterwards shows only the last: there a value as decided is taken for ours.
CREATE TABLE judged AS
SELECT
    * EXCLUDE (raw, code, service_id, service_name, duration, fingerprint),
    CASE
        WHEN NOT list_contains(getvariable('fills'), 'period') THEN NULL
        WHEN period_stands OR (period_named AND period = planned) THEN 'filled'
        WHEN period_noted THEN 'dual_written'
        WHEN period IS NULL AND planned IS NOT NULL AND NOT late THEN 'waiting'
        WHEN period_claimed THEN 'changed_since'
        WHEN period IS NOT NULL THEN 'set_by_others'
        WHEN planned IS NOT NULL THEN 'came_late'
        ELSE 'left_empty'
    END AS period_fate,
    CASE
        WHEN NOT list_contains(getvariable('fills'), 'slot') THEN NULL
        WHEN slot_stands OR (slot_named AND slot = planned_start) THEN 'filled'
        WHEN slot_noted THEN 'dual_written'
        WHEN period IS NULL AND slot IS NULL AND planned_start IS NOT NULL AND NOT late THEN 'waiting'
        WHEN slot_claimed THEN 'changed_since'
        WHEN slot IS NOT NULL THEN 'set_by_others'
        WHEN period IS NULL AND planned_start IS NOT NULL THEN 'came_late'
        ELSE 'left_empty'
    END AS slot_fate,
    CASE
        WHEN NOT list_contains(getvariable('fills'), 'service') THEN NULL
        WHEN service_stands OR (service_named AND service_fits) THEN 'filled'
        WHEN service_noted THEN 'dual_written'
        WHEN no_service AND known_service AND NOT late THEN 'waiting'
        WHEN service_claimed THEN 'changed_since'
        WHEN NOT no_service THEN 'set_by_others'
        WHEN known_service THEN 'came_late'
        ELSE 'left_empty'
    END AS service_fate,
    -- Not the application: it would have said so in updated_at, and not at the very moment of our own transaction.
    differs AND ours AND (same_update OR updated_meanwhile OR updated_by_us) AS altered
FROM seen;
