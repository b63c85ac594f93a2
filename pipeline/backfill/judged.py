"""What reviewers say of a plan's decisions before it is applied.

A decision that people hold to be wrong is never applied, whether an audit found it, its text was answered since the
run, or the answer it rests on was taken back. Nor is one about which reviewers differ: one of them holds it to be
wrong. The next run goes by their answers. Where audits are required, the run's own must have passed besides.
"""

from pipeline import answers, audit_file, reviewed, run_audit
from pipeline.audit import Standing, State
from pipeline.backfill.plan import Plan
from pipeline.dictionary import Entry
from pipeline.errors import UsageError


def refuse_contradicted(plan: Plan, words: answers.Standing) -> None:
    """Refuse a plan that reviewers contradict by now.

    Raises:
        UsageError: a text of the plan is answered otherwise, is disputed, or its answer is in force no longer.
        RunError: the plan's dictionary cannot be read.
    """
    if not words.lines:
        return  # nobody has answered anything, or the answers are kept elsewhere
    wrong = [entry for entry in plan.entries() if _is_contradicted(entry, words)]
    if wrong:
        raise UsageError(
            f"Reviewers contradict the plan in {plan.folder}, or each other, about {_texts(len(wrong))} in "
            f"{sum(entry.rows for entry in wrong):,} of its rows, and what may be wrong is not applied. Plan again "
            "with `ojeon run`, which goes by their answers; `ojeon undo` takes back what this run has filled."
        )


def refuse_unaudited(plan: Plan, words: answers.Standing) -> None:
    """Refuse a plan whose audit has not passed.

    Raises:
        UsageError: the run drew no sample, or its sample is not judged to the end without a disagreement.
        RunError: the sample cannot be read or is not the one that the run drew.
    """
    found = run_audit.standing_in(plan.folder, words)
    if found is None:
        raise UsageError(
            f"The run in {plan.folder} drew no audit sample, and only a run whose audit passed is applied here "
            "(--require-audit). Plan again with `ojeon run`."
        )
    if found.state is not State.PASSED:
        raise UsageError(_not_passed(plan, found))


def _is_contradicted(entry: Entry, words: answers.Standing) -> bool:
    settled = words.settled.get(entry.raw)
    if settled is None:
        return entry.raw in words.conflicts or entry.rule == reviewed.RULE
    return settled.verdict != entry.period


def _not_passed(plan: Plan, found: Standing) -> str:
    return (
        f"The audit of {plan.run_id} is {found.state}: {found.open:,} of its {_texts(found.texts)} still to be judged, "
        f"and only a run whose audit passed is applied here (--require-audit). Have {audit_file.FILE_NAME} in "
        f"{plan.folder} filled and take it in with `ojeon review import`; `ojeon review audit {plan.run_id}` shows "
        "where it stands."
    )


def _texts(count: int) -> str:
    return "1 text" if count == 1 else f"{count:,} texts"
