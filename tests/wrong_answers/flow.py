"""Wrong answers to the exercises of section 5: what is replaced in the published solution, and what the checker must then say."""

from __future__ import annotations

from wrong_answers import Mutant

MUTANTS: dict[str, list[Mutant]] = {
    "flow.log_prob": [
        ("base - log_scale", "base", "log-determinant of the map is missing"),
        ("base - log_scale", "base + log_scale", "sign of the log-determinant is wrong"),
        (" - 0.5 * math.log(2 * math.pi)", "", "constant of the standard normal is missing"),
        ("0.5 * math.log(2 * math.pi)", "math.log(2 * math.pi)", "you subtracted all of it"),
        ("- 0.5 * math.log", "+ 0.5 * math.log", "is added; it is subtracted"),
        ("-0.5 * z**2", "-(z**2)", "factor 1/2 of the square"),
        ("z**2", "z", "not squared"),
        ("-0.5 * z**2", "0.5 * z**2", "would grow away from the shift"),
        ("torch.exp(-log_scale)", "torch.exp(log_scale)", "on the way to the code it is divided"),
        (
            "(x - shift) * torch.exp(-log_scale)",
            "x * torch.exp(log_scale) + shift\n    log_scale = -log_scale",
            "the map the other way round",
        ),
        ("x - shift", "x + shift", "the shift is added"),
        ("(x - shift)", "x", "not subtracted"),
        (
            "(x - shift) * torch.exp(-log_scale)",
            "x * torch.exp(-log_scale) - shift",
            "only x is scaled",
        ),
        ("0.5 * z**2", "0.5 * x**2", "taken at x and not at the code"),
        ("z = ", "log_scale = log_scale / 2\n    z = ", "that of its square"),
        ("* torch.exp(-log_scale)", "/ log_scale", "its exponential is missing"),
        ("base - log_scale", "base - log_scale.exp()", "scale stands where its logarithm belongs"),
        ("base - log_scale", "base * torch.exp(-log_scale)", "not that of the map"),
        ("return base - log_scale", "return (base - log_scale).exp()", "not its logarithm"),
        ("base - log_scale", "log_scale - base", "a loss; return the log-density"),
        ("return base - log_scale", "return (base - log_scale).mean()", "averaged over the batch"),
        ("return base - log_scale", "return (base - log_scale).sum()", "summed over the batch"),
        ("base - log_scale", "base - log_scale.item()", "a wrong gradient flows to log_scale"),
        ("x - shift", "x - shift.detach()", "no gradient flows to shift"),
    ],
    "flow.coupling": [
        ("return y, log_scale.sum(1)", "return log_scale.sum(1), y", "returned in the wrong order"),
        (
            "torch.cat([kept, changed * log_scale.exp() + shift], dim=1)",
            "changed * log_scale.exp() + shift",
            "only the changed half",
        ),
        ("y, log_scale.sum(1)", "y, -log_scale.sum(1)", "sign of the log-determinant"),
        ("log_scale.sum(1)", "torch.zeros(len(x), dtype=x.dtype)", "log-determinant is zero"),
        ("y, log_scale.sum(1)", "y, log_scale.sum(1).exp()", "determinant and not its logarithm"),
        ("y, log_scale.sum(1)", "y, log_scale.exp().sum(1)", "scales are added"),
        ("log_scale.sum(1)", "log_scale.mean(1)", "averaged over columns"),
        ("log_scale.sum(1)", "log_scale", "one number for each column"),
        ("log_scale.sum(1)", "log_scale.sum(0)", "wrong axis"),
        ("log_scale.sum(1)", "log_scale.sum()", "summed over the batch"),
        ("log_scale.sum(1)", "(log_scale + shift).sum(1)", "shift is in the log-determinant"),
        ("changed * log_scale.exp()", "changed * log_scale", "scaled by log_scale itself"),
        (
            "changed * log_scale.exp() + shift",
            "(changed + shift) * log_scale.exp()",
            "shift is scaled too",
        ),
        ("+ shift", "- shift", "shift is subtracted"),
        (" + shift", "", "shift is missing"),
        (
            "changed * log_scale.exp()",
            "changed * (-log_scale).exp()",
            "wrong in y, and right in the log-determinant",
        ),
        (
            "changed * log_scale.exp() + shift], dim=1)\n    return y, log_scale",
            "(changed - shift) * (-log_scale).exp()], dim=1)\n    return y, -log_scale",
            "this is the inverse",
        ),
        ("shift, log_scale = ", "log_scale, shift = ", "network returns the shift first"),
        (
            "[kept, changed * log_scale.exp() + shift]",
            "[changed * log_scale.exp() + shift, kept]",
            "halves are put together",
        ),
        ("network(kept)", "network(changed)", "RuntimeError: mat1 and mat2 shapes"),
        ("x.shape[1] // 2", "(x.shape[1] + 1) // 2", "RuntimeError: mat1 and mat2 shapes"),
        ("[kept, ", "[torch.tanh(kept), ", "first d // 2 columns are kept"),
        ("network(kept)", "network(kept.detach())", "a wrong gradient flows to x"),
        ("y, log_scale.sum(1)", "y, log_scale.abs().sum(1)", "by its absolute value"),
    ],
}
