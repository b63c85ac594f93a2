"""The command ``ojeon review audit``; as in ``pipeline.cli``, heavy modules load inside."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline import streams
from pipeline.errors import UsageError
from pipeline.flags import takes

if TYPE_CHECKING:
    from pipeline.settings import Settings

EXAMPLE = "Example: `ojeon review audit reports/20261123-101500-3f2a`"


@takes("runs", "answers")
def audit(
    *,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A finished run: its folder, or its name in the runs.")],
    settings: "Settings",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout for a script to read.")] = False,
) -> None:
    """Show where a run's audit stands: how many of its AUTO rows may be wrong, by what reviewers judged blind.

    They fill in audit_sample.xlsx, which `ojeon review import` takes in, or
    answer on the page of `ojeon review serve --audit`.

    Exit code 1 where they disagree with a decision.
    """
    from pipeline import manifest
    from pipeline.answers import standing_of
    from pipeline.audit import State
    from pipeline.audit_view import as_dict, audit_view
    from pipeline.run_audit import standing_in
    from pipeline.run_folder import answers_beside, run_folder

    folder = run_folder(run, settings.runs)
    run_id = manifest.read(folder)["run"]
    found = standing_in(folder, standing_of(answers_beside(folder, settings)))
    if found is None:
        raise UsageError(f"The run in {folder} drew no audit sample. Plan again with `ojeon run`.")
    if as_json:
        typer.echo(json.dumps(as_dict(run_id, found), ensure_ascii=False))
    else:
        streams.page().print(audit_view(run_id, found))
    raise typer.Exit(1 if found.state is State.FAILED else 0)
