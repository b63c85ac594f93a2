"""What PostgreSQL's and libpq's refusals mean for people: one sentence each, with what to do next."""

import re

# Refused before a session exists there is no SQLSTATE, only words: libpq's own are English, a server's may not be. What
# is not recognized is repeated as it was said.
_CONNECTING = (
    (
        r"password authentication failed|no password supplied|fe_sendauth",
        "The password for {place} is wrong or missing. Put the right one into DATABASE_URL, PGPASSWORD or ~/.pgpass.",
    ),
    (
        r"failed to resolve host|could not translate host name|Name or service not known",
        "The host of {place} is unknown. Check its spelling, and that this machine can look it up.",
    ),
    (
        r"Connection refused|No such file or directory|server closed the connection unexpectedly",
        "No PostgreSQL answers at {place}. Check that the server is running, and its host and port.",
    ),
    (
        r"timeout expired|timed out|No route to host|Network is unreachable",
        "{place} cannot be reached. Check host and port, and that a firewall or VPN lets this machine through.",
    ),
    (
        r"database \".*\" does not exist",
        "{place}: the server has no database of that name. `psql -l` lists those it has.",
    ),
    (
        r"role \".*\" does not exist",
        "{place}: the server has no role of that name. Check the user in the URL or PGUSER.",
    ),
    (
        r"no pg_hba\.conf entry|pg_hba\.conf rejects",
        "{place}: the server lets nobody of that name in from this machine. Ask for a line in its pg_hba.conf.",
    ),
    (
        r"too many clients|too many connections|connection slots",
        "{place}: the server has no free connection. Try again later, or ask for one to be freed; two are needed.",
    ),
    (
        r"permission denied for database|does not have CONNECT privilege",
        "{place}: the role may not connect to this database. Ask its owner for GRANT CONNECT ON DATABASE … TO ….",
    ),
    (
        r"definition of service|service file",
        "The service that PGSERVICE names is in no pg_service.conf. Check its name there.",
    ),
    (r"SSL|certificate", "{place}: no encrypted connection came about ({words}). Check sslmode and sslrootcert."),
    (
        r"is starting up|is shutting down|in recovery mode",
        "{place}: the server is starting or stopping. Try again soon.",
    ),
)
# In a session the SQLSTATE says it, whatever language the server speaks; a class (two characters) where none is exact.
_LOST = "The connection to {place} was lost ({words}). Nothing was written to the database; start the run again."
_IN_SESSION = {
    "08": _LOST,
    "57P": _LOST,
    "25P03": "{place} ended the session because it paused inside its transaction ({words}). Raise "
    "idle_in_transaction_session_timeout for this role or this run "
    "(PGOPTIONS='-c idle_in_transaction_session_timeout=0').",
    "55P03": "{place}: another session keeps the table locked ({words}). Start the run again when it is done "
    "(pg_stat_activity shows who it is), or wait longer with PGOPTIONS='-c lock_timeout=10min'.",
    "57014": "{place} stopped the query ({words}). Raise its statement_timeout for this role or this run "
    "(PGOPTIONS='-c statement_timeout=0').",
    "42501": "{place}: the role lacks a right ({words}). Ask for it, or connect as the table's owner.",
    "22021": "{place} holds text that is not valid in its own encoding ({words}). Mend it before extracting.",
    "53": "{place} has run out of room, memory or connections ({words}). Make room there, then start the run again.",
}

# While a table is moved, much was written before the refusal, and the same command goes on from there.
_IN_A_MOVE = {
    "08": "The connection to {place} was lost ({words}).",
    "57P": "The connection to {place} was lost ({words}).",
    "23": "{place}: a constraint of the table forbids what was to be written ({words}). Mend row or constraint.",
    "25006": "{place} cannot be written at the moment ({words}).",
    "55P03": "{place}: another session keeps the table locked ({words}); pg_stat_activity shows who it is.",
    "42501": "{place}: the role lacks a right ({words}). Ask for it, or connect as the table's owner.",
    "53": "{place} has run out of room, memory or connections ({words}). Make room there.",
}


def refused_connection(words: str, place: str) -> str:
    """Why no session with ``place`` came about; ``words`` are libpq's, free of passwords."""
    for pattern, sentence in _CONNECTING:
        if re.search(pattern, words):
            return sentence.format(place=place, words=one_line(words))
    return f"{place} cannot be used: {one_line(words)}. Check the URL or libpq's environment."


def refused_query(sqlstate: str | None, words: str, place: str) -> str:
    """Why ``place`` did not go on in a session; without ``sqlstate`` the connection is gone."""
    state = sqlstate or ("25P03" if "idle-in-transaction timeout" in words else "08")
    for prefix in (state, state[:3], state[:2]):
        if prefix in _IN_SESSION:
            return _IN_SESSION[prefix].format(place=place, words=one_line(words))
    return f"{place} stopped the reading: {one_line(words)}. Nothing was kept; mend that and start the run again."


def refused_move(sqlstate: str | None, words: str, place: str) -> str:
    """Why ``place`` did not go on while its table was moved; without ``sqlstate`` the connection is gone."""
    state = sqlstate or "08"
    found = [_IN_A_MOVE[prefix] for prefix in (state, state[:3], state[:2]) if prefix in _IN_A_MOVE]
    what = found[0] if found else "{place} stopped the move ({words})."
    return (
        what.format(place=place, words=one_line(words))
        + " What was done stays done: start the same command again to go on."
    )


def one_line(words: str) -> str:
    """The first line of what was said, without its closing full stop."""
    return (words.strip().splitlines() or [""])[0].rstrip(" .")
