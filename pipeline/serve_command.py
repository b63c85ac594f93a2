"""The command ``ojeon review serve``; as in ``pipeline.cli``, heavy modules load inside."""

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from pipeline.figures import counted
from pipeline.flags import takes

if TYPE_CHECKING:
    from pipeline.finished_run import FinishedRun
    from pipeline.review.groups import Waiting
    from pipeline.settings import Settings

EXAMPLE = "Example: `ojeon review serve reports/20261123-101500-3f2a`"

talk = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 120)


class Language(StrEnum):
    """A language of the page."""

    KO = "ko"
    EN = "en"


@takes("runs", "answers")
def serve(  # noqa: PLR0913 - one parameter an option
    *,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A finished run: its folder, or its name in the runs.")],
    lang: Annotated[Language, typer.Option(help="The page's language at first; it has a switch.")] = Language.KO,
    port: Annotated[int, typer.Option(help="The port to listen on; 0: any free one.", min=0, max=65535)] = 0,
    audit: Annotated[bool, typer.Option("--audit", help="Judge the run's audit sample, blind.")] = False,
    no_open: Annotated[bool, typer.Option("--no-open", help="Only print the address.")] = False,
    settings: "Settings",
) -> None:
    """Open the triage page: answer by keyboard what waits for people. Ctrl-C ends it.

    Only a browser of this machine can reach it, and the printed address admits once. An answer is in the store
    before the page calls it saved; the next run uses it before every parser.
    """
    from pipeline.answers import Purpose, open_answers
    from pipeline.finished_run import open_finished
    from pipeline.review.server import serve as serve_page
    from pipeline.review.server import show_in_browser
    from pipeline.review.triage import Triage
    from pipeline.run_folder import answers_beside, run_folder

    finished = open_finished(run_folder(run, settings.runs))
    texts = _texts(finished, audit=audit)

    def announce(address: str) -> None:
        typer.echo(address)
        sys.stdout.flush()
        waiting = f"{counted(len(texts), 'text')} to look at"
        talk.print(f"{waiting}. Open the address, which admits once; Ctrl-C ends the page.")
        if not no_open:
            show_in_browser(address)

    kept = answers_beside(finished.folder, settings)
    with open_answers(kept) as answers:
        triage = Triage(finished.run_id, texts, answers, Purpose.AUDIT if audit else Purpose.REVIEW)
        serve_page(triage, finished.policy, port, lang.value, announce)
    talk.print(f"Every answer shown as saved is in {kept}.", soft_wrap=True)


def _texts(run: "FinishedRun", *, audit: bool) -> "list[Waiting]":
    """The texts to ask about; the workbench is closed again, for others may want it."""
    with run.workbench as workbench:
        if audit:
            from pipeline.review.sampled import sampled_in

            return sampled_in(workbench, run.run_id)
        from pipeline.review.groups import waiting_in

        return waiting_in(workbench, run.run_id)
