"""Every error a user may meet, and the exit code it ends with.

    OjeonError
    ├── UsageError      2  wrong arguments, settings or input files
    ├── DatabaseError   4  the database refused, vanished or is not as described
    └── RunError        4  the run could not go on (disk full, a damaged workbench)

A message says what is wrong, why, and what to do next. It never holds a password or a patient's text.
"""


class OjeonError(Exception):
    """A failure that is reported as one sentence, without a traceback."""

    exit_code = 4


class UsageError(OjeonError):
    """The arguments, the settings or an input file are wrong."""

    exit_code = 2


class DatabaseError(OjeonError):
    """The database refused, vanished or is not as described."""


class RunError(OjeonError):
    """The run could not go on."""
