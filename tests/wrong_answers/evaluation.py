"""Wrong answers to the exercises of section 8: what is replaced in the published solution, and what the checker must then say."""

from __future__ import annotations

from wrong_answers import Mutant

SPREADS = "(variance_a.sqrt() - variance_b.sqrt()) ** 2"

MUTANTS: dict[str, list[Mutant]] = {
    "evaluation.frechet": [
        ("(means + spreads).sum()", "(means + spreads).sum().sqrt()", "a square root too many"),
        ("(means + spreads).sum()", "(means + spreads).mean()", "averaged over features"),
        ("(means + spreads).sum()", "means + spreads", "sum over features"),
        ("(means + spreads).sum()", "spreads.sum()", "the means are missing"),
        ("(means + spreads).sum()", "means.sum()", "the spreads are missing"),
        (
            SPREADS,
            "(variance_a - variance_b) ** 2",
            "variances are compared where standard deviations belong",
        ),
        (SPREADS, "variance_a.sqrt() - variance_b.sqrt()", "standard deviations is not squared"),
        (SPREADS, "(variance_a - variance_b).abs()", "the difference of variances stands"),
        (
            SPREADS,
            "variance_a + variance_b - (variance_a * variance_b).sqrt()",
            "counts once and not twice",
        ),
        (
            SPREADS,
            "variance_a + variance_b - 2 * variance_a * variance_b",
            "cross term has no square root",
        ),
        (SPREADS, "(variance_a.sqrt() + variance_b.sqrt()) ** 2", "cross term has the wrong sign"),
        ("(means + spreads).sum()", "means.sum().sqrt() + spreads.sum()", "means is not squared"),
        (
            "(mean_a - mean_b) ** 2",
            "(mean_a - mean_b).sum() ** 2 / len(mean_a)",
            "opposite ones cancel",
        ),
        ("(mean_a - mean_b) ** 2", "(mean_a + mean_b) ** 2", "the means are added, not subtracted"),
        ("(means + spreads).sum()", "(means - spreads).sum()", "the two sums are subtracted"),
    ],
    "evaluation.kid": [
        (
            "(within_x.sum() - within_x.diagonal().sum()) / (n * (n - 1))",
            "within_x.mean() + within_y.mean() - (within_y.sum() - within_y.diagonal().sum()) / (m * (m - 1))",
            "paired with themselves",
        ),
        (" - within_y.diagonal().sum()) / (m * (m - 1))", ") / m**2", "left out of x and not of y"),
        ("- 1))", "))", "as if it were not"),
        ("* between.mean()", "* between.mean() + between.mean()", "counts once and not twice"),
        ("- 2 * between.mean()", "+ 2 * between.mean()", "is added"),
        (" - 2 * between.mean()", "", "between x and y is missing"),
        (
            "- 2 * between.mean()",
            "- 2 * (between.sum() - between.diagonal().sum()) / (n * m - min(n, m))",
            "all n m pairs count",
        ),
        (" / d + 1", " + 1", "not divided by d"),
        (" / d + 1", " / d", "the 1 inside the kernel is missing"),
        ("** 3", "** 2", "squared and not cubed"),
        (") ** 3", ")", "a linear one sees means only"),
        (
            "return mean_x + mean_y - 2 * between.mean()",
            "return (mean_x + mean_y - 2 * between.mean()).sqrt()",
            "the square root is taken",
        ),
        (
            "return mean_x + mean_y - 2 * between.mean()",
            "return (mean_x + mean_y - 2 * between.mean()).clamp(min=0)",
            "cut to zero",
        ),
        (
            "return mean_x + mean_y - 2 * between.mean()",
            "return 2 * between.mean() - mean_x - mean_y",
            "the sign is wrong",
        ),
        ("x.shape[1]", "len(x)", "d is the number of features, which has axis 1"),
    ],
    "evaluation.coverage": [
        (".double().mean()", "", "return their share"),
        (".double().mean()", ".double().sum()", "divide by their number"),
        (".any(1)", ".any(0)", "this is precision"),
        (".any(1)", ".all(1)", "not all of them"),
        (".any(1)", "", "over all pairs"),
        (
            "(to_generated <= radius[:, None]).any(1)",
            "(to_generated <= radius[:, None]).sum(1)",
            "counts the points in the balls",
        ),
        ("[:, k]", "[:, k - 1]", "its own first neighbour"),
        ("[:, k]", "[:, k + 1]", "one neighbour too far"),
        ("[:, k]", "[:, 1]", "k is not used"),
        (".values[:, k]", ".values[:, 1 : k + 1].mean(1)", "mean distance to k neighbours"),
        ("radius[:, None]", "radius.mean()", "one radius"),
        ("<=", ">", "points outside of the ball"),
        ("torch.cdist(real, generated)", "torch.cdist(real, generated) ** 2", "not squared"),
        ("torch.cdist(real, real)", "torch.cdist(generated, generated)", "it raised RuntimeError"),
        (
            "among_real = torch.cdist(real, real)",
            "real, generated = generated, real\n    among_real = torch.cdist(real, real)",
            "changed places",
        ),
        ("covered.double()", "1 - covered.double()", "not covered"),
    ],
}
