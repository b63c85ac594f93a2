"""The door of the program ``ojeon``: streams and signals are in order before anything slow is loaded."""

from typing import NoReturn

from pipeline import interrupts, streams


def main() -> NoReturn:
    """Load the command line and run it."""
    streams.prepare()
    interrupts.end_at_once()
    from pipeline.cli import main as run  # noqa: PLC0415 - it takes a while, in which Ctrl-C must not look like a crash

    run()


if __name__ == "__main__":
    main()
