"""The move of a live table: a finished run's plan is applied in batches, verified, and undone.

Everything that a move knows stands in the clinic's own database, in the schema ``ojeon`` (see ``ledger``): a process
may be killed at any instant and another goes on from there.
"""
