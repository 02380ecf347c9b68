"""Wrong answers to the exercise of section 9: what is replaced in the published solution, and what the checker must then say."""

from __future__ import annotations

from wrong_answers import Mutant

LAST = "return left / left.sum(1, keepdim=True)"

MUTANTS: dict[str, list[Mutant]] = {
    "applications.nucleus": [
        (
            "before = ranked.cumsum(1) - ranked",
            "before = ranked.cumsum(1)",
            "nothing is left to divide by",
        ),
        ("before < p)", "(before + ranked <= p) | (before == 0))", "so that p is not reached"),
        (
            "before < p)",
            "before - ranked.roll(1, 1).where(before > 0, 0.0) < p)",
            "one token too many",
        ),
        (LAST, "return left", "rows do not sum to one"),
        (LAST, "return left / left.sum()", "sum of the whole batch"),
        (
            LAST,
            "return left.masked_fill(left == 0, -math.inf).softmax(1)",
            "softmax of probabilities",
        ),
        (LAST, "return (logits * kept).softmax(1)", "a logit of zero"),
        (LAST, "return (left / left.sum(1, keepdim=True)).log()", "these are logarithms"),
        ("descending=True", "descending=False", "the least probable"),
        (
            "torch.zeros_like(probabilities, dtype=torch.bool).scatter(1, order, before < p)",
            "(before < p).gather(1, order)",
            "scattered back",
        ),
        ("left = probabilities * kept", "left = ranked * (before < p)", "in sorted order"),
        ("logits.softmax(1)", "logits.softmax(0)", "the softmax runs over rows"),
        ("ranked.cumsum(1)", "ranked.cumsum(0)", "goes down the batch"),
        ("before < p", "before < 1 - p", "1 - p is kept"),
        (
            "left = probabilities * kept",
            "left = probabilities * (probabilities >= p)",
            "on its own",
        ),
        (
            "left = probabilities * kept",
            "left = probabilities * (probabilities >= p * probabilities.amax(1, keepdim=True))",
            "min-p",
        ),
        (
            "    ranked, order =",
            "    ranked, order = probabilities, torch.arange(logits.shape[1]).expand_as(logits)\n    _ =",
            "order of their places",
        ),
        (
            "before < p",
            "torch.arange(logits.shape[1]).expand_as(logits) < p * logits.shape[1]",
            "a share of probability",
        ),
    ],
}
