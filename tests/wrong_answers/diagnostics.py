"""Wrong answers to the exercises of section 10: what is replaced in the published solution, and what the checker must then say."""

from __future__ import annotations

from wrong_answers import Mutant

MUTANTS: dict[str, list[Mutant]] = {
    "diagnostics.checklist": [
        ('found.add("posterior collapse")', "pass", "a falling loss is taken for health"),
        (
            'record["kl"] is not None and record["kl"] < 0.1',
            '(record["kl"] or 0) < 0.1',
            "without a KL is suspected",
        ),
        ('found.add("mode collapse")', "pass", "nobody counts the modes"),
        (
            'record["nearest_held_out"] / 2',
            "0.03",
            "how near is near depends on how many training examples",
        ),
        (
            'record["nearest"] <= record["nearest_held_out"] / 2',
            'record["near_duplicates"] > 0',
            "near duplicate by chance",
        ),
        ("gap > 3", "gap > 0", "within a few standard errors is chance"),
        ("gap < -3", "gap < 0", "a little likelier than training examples"),
        (
            'record["train_nats"] - record["test_nats"]',
            'record["test_nats"] - record["train_nats"]',
            "are exchanged",
        ),
        (
            "any(loss is None or loss > limit for loss in losses)",
            "losses[-1] > losses[0]",
            "losses of a game circle",
        ),
        (
            " or any(loss is None or loss > limit for loss in losses)",
            "",
            "may have diverged on the way",
        ),
        ("if wins or gives_up", "if wins", "a critic that gives up leaves no gradient"),
        ("if wins or gives_up", "if gives_up", "a critic that is always right is dead"),
        (
            'record["critic"] > 0.95',
            '(record["critic"] > 0.95 or record["critic"] < 0.7)',
            "is the aim of the game",
        ),
        (
            'record["kind"] == "exact"',
            'record["mass"] is not None',
            "only an exact density must reach it",
        ),
        ("0.05 * (max(held_out) - held_out[-1])", "0", "compare it with the whole fall"),
        ("if gap > 3", 'if gap > 3 and "memorisation" not in found', "only one suspicion"),
        ("return found", "return sorted(found)[:1]", "only one suspicion"),
        ("return found", 'return {"ok"}', "'ok' is no suspicion; known are: posterior collapse"),
        ("return found", 'return ", ".join(found)', "returns str, expected a set of strings"),
        ("return found", "return set()", "nothing is ever suspected"),
        ("abs(record[", "-abs(record[", "a high likelihood is believed"),
    ],
    "diagnostics.collapse": [
        ("(2 * log_scale).exp()", "log_scale.exp()", "sigma stands where sigma squared belongs"),
        (" - 1)", ")", "constant -1/2 is missing"),
        ("- log_scale).mean(0)", "- log_scale).mul(2).mean(0)", "factor 1/2 of the KL"),
        ("- log_scale).mean(0)", "- log_scale).sum(0)", "summed over examples"),
        ("- log_scale).mean(0)", "- log_scale).sum(1)", "one KL for each example"),
        ("- log_scale).mean(0)", "- log_scale)", "not averaged over examples"),
        ("- log_scale).mean(0)", "- log_scale).mean()", "averaged over dimensions too"),
        ("spread > 0.01", "spread.sqrt() > 0.01", "threshold is for its variance"),
        ("square().mean(0)", "square().sum(0) / max(len(mean) - 1, 1)", "divided by n - 1"),
        ("spread > 0.01", "kl > 0.01", "costs nats and says nothing"),
        ("(mean - mean.mean(0))", "mean", "mean square, not a variance"),
        ("spread > 0.01", "spread <= 0.01", "active and collapsed are exchanged"),
        ("return kl, spread > 0.01", "return spread > 0.01, kl", "wrong order"),
    ],
}
