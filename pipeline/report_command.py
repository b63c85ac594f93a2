"""The command ``ojeon report``; as in ``pipeline.cli``, heavy modules load inside."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import UsageError
from pipeline.flags import takes

if TYPE_CHECKING:
    from pipeline.settings import Settings


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("report", epilog="Example: `ojeon report reports/20261123-101500-3f2a --lang ko -o report.ko.html`")(
        report_of_run
    )


@takes("lang", "runs")
def report_of_run(
    *,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A finished run: its folder, or its name in the runs.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="The file to write; else RUN.LANG.html in this folder.", show_default=False
        ),
    ] = None,
    unmask: Annotated[bool, typer.Option("--unmask", help="Show texts as written, personal data included.")] = False,
    settings: "Settings",
) -> None:
    """Render a finished run's report again: in another language, unmasked, or with what reviewers have said since.

    The run's own report.html is sealed with its plan and stays as it is.
    """
    from pipeline.run_folder import answers_beside, run_folder

    folder = run_folder(run, settings.runs)
    path = output or Path(f"{folder.resolve().name}.{settings.lang}.html")
    _refuse_sealed(path)
    from pipeline import answers, report, report_facts

    words = answers.standing_of(answers_beside(folder, settings))
    view = report_facts.gather_finished(folder, words=words, masked=not unmask)
    typer.echo(report.write(view, path, settings.lang))


def _refuse_sealed(path: Path) -> None:
    """A file added to a run's folder, or changed there, would break the seal of its plan."""
    from pipeline import manifest

    if path.is_dir():
        raise UsageError(f"{path} is a folder. Name the file to write with -o.")
    for folder in path.resolve().parents:
        if (folder / manifest.FILE_NAME).exists():
            raise UsageError(
                f"{path} lies in the folder of a run, and a finished run is sealed: nothing in it changes. Name a file "
                "elsewhere with -o."
            )
