"""Progress: a line that fits any width, plain lines in a pipe, and what a training says of itself; the clock is their own."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.console import Console

import pushforward as pf
from pushforward.app.progress.line import ProgressState, line, remaining, sentence, unit_of
from pushforward.app.progress.meter import (
    Meter,
    RedrawnLine,
    Silent,
    WrittenLines,
    own_place,
    place,
)
from pushforward.engine.fit_records import Progress

WIDTHS = (200, 120, 80, 60, 40)
LONG = "-ELBO of the encoded data (KL weighted until step 500) [nats/dim]"
UNWANTED = re.compile(r"[\x00-\x09\x0b-\x1f]")


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def progress(step: int, of: int = 1000) -> Progress:
    return Progress(
        step,
        fraction=step / of,
        loss_name=LONG,
        loss=1.2345,
        held_out=512.3,
        held_out_name="-ELBO [nats]",
        best=500.0,
    )


def trained(console: Console, steps: int = 1000, seconds: float = 60.0) -> str:
    """Show a training of some seconds on a console and return what was written."""
    time = Clock()
    with Meter(
        "training autoregressive", place(console), keep=True, now=time, ticking=False
    ) as meter:
        for step in range(1, steps + 1):
            time.time = seconds * step / steps
            meter.training(progress(step, steps))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def terminal(width: int) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=True)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_terminal_has_one_line_that_fits_and_keeps_percent_and_time(width: int) -> None:
    text = trained(terminal(width))
    drawn = [part.removesuffix("\x1b[K") for part in text.rstrip("\n").split("\r")[1:]]
    assert len(drawn) > 100
    assert text.count("\n") == 1  # the line is drawn over until it is left behind
    for one in drawn:
        assert len(one) < width
        assert re.search(r"\d %", one)
        assert "training aut" in one
    halfway = drawn[len(drawn) // 2]
    assert "50 %" in halfway or "49 %" in halfway
    assert re.search(r"0:3\d left", halfway)
    assert "━" in halfway  # the bar is there at every width


@pytest.mark.parametrize(
    ("width", "there"), [(120, "held out 512.3 [nats]"), (80, "step 500"), (60, "left")]
)
def test_the_loss_is_shown_with_its_unit_where_there_is_room(width: int, there: str) -> None:
    state = ProgressState(
        "training vae",
        0.5,
        30.0,
        30.0,
        ("step 500", "loss 1.235 [nats/dim]", "held out 512.3 [nats]"),
    )
    shown = line(state, width)
    assert there in shown
    assert len(shown) <= width
    assert ("[nats/dim]" in shown) == (width >= 80)


def test_nothing_is_markup() -> None:
    """Square brackets that look like a style are text: `[red]`, `[/]`, `[nats]` come out as they are."""
    for unit in ("[nats]", "[red]", "[/]", "[bold on blue]"):
        name = f"loss {unit}"
        assert unit_of(name) == unit
        time, console = Clock(), terminal(120)
        with Meter("x", place(console), keep=True, now=time, ticking=False) as meter:
            meter.training(Progress(5, fraction=0.5, loss_name=name, loss=2.0))
        assert f"loss 2 {unit}" in console.file.getvalue()  # type: ignore[attr-defined]


def test_a_pipe_gets_plain_lines_without_control_characters() -> None:
    text = trained(Console(file=io.StringIO()), seconds=60.0)
    lines = text.splitlines()
    assert not UNWANTED.search(text)
    # at 2 s, then every 10 s, then the end
    assert len(lines) == 7
    assert re.match(
        r"training autoregressive: 3 %, 0:58 left, step 3\d, loss 1.234 \[nats/dim\], held",
        lines[0],
    )
    assert lines[-1].startswith("training autoregressive: 100 %")


def test_a_long_run_writes_at_most_some_hundred_lines_and_a_short_one_none() -> None:
    assert 90 <= len(trained(Console(file=io.StringIO()), seconds=24 * 3600.0).splitlines()) <= 110
    assert trained(Console(file=io.StringIO()), seconds=1.5) == ""


def test_what_has_no_length_shows_its_time() -> None:
    time, console = Clock(), terminal(60)
    with Meter(
        "reading a-very-long-name-of-a-folder/" + "x" * 90, place(console), now=time, ticking=False
    ) as meter:
        time.time = 75.0
        meter._draw()
    drawn = console.file.getvalue().split("\r")  # type: ignore[attr-defined]
    assert any(one.removesuffix("\x1b[K").endswith("1:15") and len(one) < 65 for one in drawn)
    assert sentence(ProgressState("reading x", None, 12.0, None)) == "reading x: 0:12"


def test_a_thread_keeps_the_clock_going_and_ends() -> None:
    file = io.StringIO()
    meter = Meter("waiting", RedrawnLine(file, lambda: 60, erase=True))
    with meter:
        meter.over.wait(0.6)  # nothing is reported meanwhile
    assert file.getvalue().count("waiting") >= 1
    assert meter.thread is not None
    assert not meter.thread.is_alive()


def test_a_notebook_line_has_no_escape_codes_and_covers_the_longer_one_before() -> None:
    file = io.StringIO()
    shown = RedrawnLine(file, lambda: 80, erase=False)
    shown.show(ProgressState("a", 0.5, 1.0, 1.0, ("step 1,000", "loss 1.5 [nats]")))
    shown.show(ProgressState("a", 0.5, 1.0, 1.0))
    assert "\x1b" not in file.getvalue()
    first, second = file.getvalue().split("\r")[1:]
    assert len(second) == len(first)


def test_the_environment_silences_what_nobody_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pushforward.app.progress.meter.in_notebook", lambda: True)
    assert isinstance(own_place(), RedrawnLine)
    monkeypatch.setenv("PUSHFORWARD_PROGRESS", "0")
    assert isinstance(own_place(), Silent)
    assert isinstance(own_place(True), RedrawnLine)


def test_pace_counts_what_was_done_since() -> None:
    assert remaining(0.75, 10.0, since=0.5) == 10.0
    time, console = Clock(), terminal(120)
    with Meter("resumed", place(console), now=time, ticking=False) as meter:
        meter.training(progress(500))
        time.time = 10.0
        meter.training(progress(600))
        assert meter.state().left == pytest.approx(
            40.0
        )  # a tenth in ten seconds, four tenths to go


def test_time_before_the_first_step_of_a_resumed_run_says_nothing_about_its_pace() -> None:
    time, console = Clock(), terminal(120)
    with Meter("resumed", place(console), now=time, ticking=False) as meter:
        time.time = 60.0  # reading data, restoring weights
        meter.training(progress(510))
        time.time = 61.0
        meter.training(progress(560))
        assert meter.state().left == pytest.approx(8.8)  # a twentieth in one second


def test_every_part_has_its_own_clock_and_all_of_them_one_rhythm() -> None:
    time, console = Clock(), Console(file=io.StringIO())
    with Meter("reading", place(console), now=time, ticking=False) as meter:
        for second in range(60):
            time.time = float(second)
            if second == 30:
                told = meter.stage("controls")
            if second < 30:
                meter._draw()
            else:
                told((second - 30) / 30, "noise")
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[:3] == ["reading: 0:02", "reading: 0:12", "reading: 0:22"]
    assert lines[3] == "controls: 6 %, 0:28 left, noise"  # at 32 s, two seconds into the part
    assert len(lines) == 7


def test_a_failed_block_never_claims_to_be_whole() -> None:
    file = io.StringIO()
    meter = Meter("x", RedrawnLine(file, lambda: 60, True), keep=True, ticking=False)

    def failing() -> None:
        with meter:
            meter.done(0.3)
            raise ValueError

    with pytest.raises(ValueError):
        failing()
    assert "100 %" not in file.getvalue()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_line_drawing_gets_ascii(encoding: str) -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    RedrawnLine(file, lambda: 80, erase=True).show(ProgressState("training", 0.5, 1.0, 1.0))
    assert b"####" in raw.getvalue()


def test_the_engine_tells_the_loss_and_python_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    data = pf.load("two-moons")
    quiet: dict[str, Any] = {
        "steps": 4,
        "preset": "smoke",
        "settings": {"train": {"evaluate_every": 2}},
    }
    pf.fit("flow", data, **quiet, progress=False)
    assert capsys.readouterr().err == ""
    assert isinstance(own_place(False), Silent)
    assert isinstance(own_place(True), WrittenLines)
    seen: list[tuple[str, bool, str, bool]] = []
    plan = pf.fit("flow", data, **quiet).plan
    assert plan is not None
    from pushforward.app.runs.training import train

    train(
        plan,
        observer=lambda p: seen.append(
            (p.loss_name, p.loss is None, p.held_out_name, p.held_out is None)
        ),
    )
    assert seen[0][1] is False
    assert unit_of(seen[0][0]) == "[nats/dim]"
    assert seen[-1][2:] == ("-log p of the data [nats]", False)
