"""Wrong answers to the exercises of section 7: what is replaced in the published solution, and what the checker must then say."""

from __future__ import annotations

from wrong_answers import Mutant

STEP = "x + drift + (2 * step).sqrt() * noise"
LEAN = "unconditional + weight * direction"
MUTANTS: dict[str, list[Mutant]] = {
    "score.langevin": [
        ("(2 * step).sqrt()", "step.sqrt()", r"lacks a factor sqrt\(2\)"),
        ("(2 * step).sqrt()", "(2 * step)", "scaled by its variance"),
        ("(2 * step).sqrt()", "step", "scaled by the step itself"),
        ("(2 * step).sqrt()", "2 * step.sqrt()", "2 stands outside"),
        ("(2 * step).sqrt()", "math.sqrt(2) * step", "step stands outside"),
        ("x + drift", "x - drift", "sign of the drift"),
        (STEP, "x + drift / 2 + step.sqrt() * noise", "right step in the other convention"),
        ("drift = step", "drift = 0.5 * step", "different conventions"),
        (" + (2 * step).sqrt() * noise", "", "no noise is in it"),
        ("x + drift +", "x +", "random walk"),
        ("drift = step * score", "drift = score", "drift is not scaled"),
        ("(2 * step).sqrt() * noise", "noise", "noise is not scaled"),
        ("x + drift", "drift", "x is missing"),
        ("drift = step * score", "drift = (2 * step).sqrt() * score", "scaled like the noise"),
    ],
    "score.guidance": [
        (LEAN, "conditional + weight * direction", "other convention"),
        (LEAN, "(1 + weight) * conditional - weight * unconditional", "other convention"),
        (LEAN, "conditional - weight * direction", "exchanged"),
        (
            "direction = conditional - unconditional",
            "direction = unconditional - conditional",
            "sign of the direction",
        ),
        (LEAN, "weight * direction", "only the direction"),
        ("weight * direction", "weight * conditional", "weighted conditional prediction is added"),
        (LEAN, "weight * conditional - (1 - weight) * unconditional", r"add to 2 w - 1"),
        (LEAN, "weight * conditional", "scales, and does not lean"),
        ("weight * direction", "direction", "this is the conditional prediction"),
        ("weight * direction", "weight.clamp(0, 1) * direction", "cut to between 0 and 1"),
        (LEAN, "(weight * conditional + unconditional) / (1 + weight)", "this is an average"),
        ("weight * direction", "(weight - 1) * direction", "one too small"),
        (LEAN, "conditional - weight * unconditional", "starts from the conditional prediction"),
    ],
    "score.ode_likelihood": [
        ("base + change", "base - change", "sign of the divergence"),
        ("base + change", "base", "the divergence is missing"),
        ("base + change", "change", "density of the noise is missing"),
        (" - 0.5 * math.log(2 * math.pi)", "", r"off by exactly d/2 log\(2 pi\)"),
        (
            "(-0.5 * x**2 - 0.5 * math.log(2 * math.pi)).sum(1)",
            "(-0.5 * x**2).sum(1) - 0.5 * math.log(2 * math.pi)",
            "belongs to every dimension",
        ),
        ("x = x + step", "end = x + step", "the point never moves"),
        ("-0.5 * x**2", "-(x**2)", "factor 1/2 of the square"),
        ("step * divergence", "divergence", "without the lengths of their steps"),
        ("(x, start)", "(x, start + step)", "at the end of each step"),
        (
            "times.diff()",
            "torch.full_like(times[1:], (times[-1] - times[0]) / (len(times) - 1))",
            "steps are of equal length",
        ),
        (
            "    change = 0.0",
            "    times = torch.linspace(times[0], times[-1], len(times), dtype=x.dtype)\n    change = 0.0",
            "replaced by evenly spaced ones",
        ),
        ("(x, start)", "(x, start - times[0])", "counted from zero"),
        ("    change = 0.0", "    times = times[1:]\n    change = 0.0", "first step is left out"),
        ("    change = 0.0", "    times = times[:-1]\n    change = 0.0", "last step is left out"),
        ("    change = 0.0", "    times = times.flip(0)\n    change = 0.0", "from last to first"),
        ("step * divergence", "x.shape[1] * step * divergence", "multiplied by their number"),
        (").sum(1)", ").mean(1)", "averaged over dimensions"),
        ("base + change", "(base + change).mean()", "averaged over the batch"),
        ("base + change", "-(base + change)", "minus the log-density"),
        ("x = x + step", "x += step", "changes its arguments"),
    ],
}
