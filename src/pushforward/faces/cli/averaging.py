"""What `average` does: choose a width, then say what it was and what the others would have been."""

from __future__ import annotations

from pathlib import Path

from pushforward.app.runs import averaging as app
from pushforward.app.writing.using import markdown_table
from pushforward.core.errors import BadInput
from pushforward.faces.cli.options import numbers_in
from pushforward.faces.cli.output import out, out_json, say
from pushforward.faces.cli.progress import busy


def average(
    run: Path,
    output: Path,
    width: float | None,
    best: bool,
    widths: str | None,
    step: int | None,
    overwrite: bool,
    json: bool,
) -> None:
    """Average a run's weights anew."""
    if (width is not None) == best:
        raise BadInput("both --width and --best" if best else "no width", "--width W or --best")
    if widths is not None and not best:
        raise BadInput("--widths without --best", "--best", "leave --widths out")
    choices = None if widths is None else numbers_in(widths, "--widths")
    with busy(f"averaging {run}"):
        done = app.average(run, output, width, widths=choices, step=step, overwrite=overwrite)
    if json:
        out_json(done.to_json())
        return
    if done.best is not None:
        out(markdown_table([trial_row(t) for t in done.trials]))
        say(f"{done.held_out_name}: best at width {done.width:g}")
    say(f"width {done.width:g} at step {done.step}: relative residual {done.residual:.1e}")
    out(str(output))


def trial_row(t: app.Trial) -> dict[str, str]:
    """Return one width and its held-out value as a row of a table."""
    return {
        "width": "kept by training" if t.width is None else f"{t.width:g}",
        "residual": "" if t.residual is None else f"{t.residual:.4f}",
        "held out": f"{t.held_out:.4f} +- {t.stderr:.4f}",
        "behind the best": f"{t.behind:.4f} +- {t.behind_stderr:.4f}",
    }
