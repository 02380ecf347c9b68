"""Wrong answers to the exercises of section 1: what is replaced in the published solution, and what the checker must then say."""

from __future__ import annotations

from wrong_answers import Mutant

MUTANTS: dict[str, list[Mutant]] = {
    "goal.categorical": [
        ("passed.sum(1)", "probabilities.argmax(1)", "most probable class"),
        (
            ".cumsum(1)[:, :-1]",
            "",
            "compared with the probabilities and not with their running sums",
        ),
        ("passed.sum(1)", "passed.sum(1) + 1", "one too large"),
        (
            "upto = probabilities.cumsum(1)[:, :-1]",
            "upto = probabilities.cumsum(1) - probabilities",
            "one too large: classes are counted from zero",
        ),
        ("passed.sum(1)", "passed.sum(1) - 1", "one too small"),
        ("cumsum(1)", "cumsum(0)", "over the batch: the wrong axis"),
        ("uniforms.unsqueeze(1)", "(1 - uniforms).unsqueeze(1)", "from the last to the first"),
        (
            "passed.sum(1)",
            "probabilities.shape[1] - 1 - (uniforms.unsqueeze(1) >= probabilities.flip(1).cumsum(1)[:, :-1]).sum(1)",
            "the law is right, and not these numbers",
        ),
        (
            "passed.sum(1)",
            "(uniforms * probabilities.shape[1]).floor().long()",
            "every class is equally likely",
        ),
        (
            "probabilities.cumsum(1)",
            "probabilities[0:1].cumsum(1)",
            "distribution of the first row",
        ),
        ("uniforms.unsqueeze(1)", "uniforms[0]", "one uniform number decides all rows"),
        (
            "probabilities.cumsum",
            "probabilities.sort(1, descending=True)[0].cumsum",
            "sorted by probability",
        ),
        (
            "probabilities.cumsum",
            "torch.softmax(probabilities, 1).cumsum",
            "probabilities already: a softmax",
        ),
        (
            "passed.sum(1)",
            "torch.multinomial(probabilities, 1).squeeze(1)",
            "equal arguments give equal classes",
        ),
        ("[:, :-1]", "", "a number just below one draws the last class"),
        ("passed.sum(1)", "passed.sum(0)", r"classes has shape \(\d+,\), expected shape"),
        (
            "passed.sum(1)",
            "torch.nn.functional.one_hot(passed.sum(1), probabilities.shape[1])",
            "one-hot rows came back",
        ),
    ],
    "goal.bits_per_dim": [
        (
            "each - math.log(levels)",
            "each + math.log(levels)",
            "change of variables has the wrong sign",
        ),
        (" - math.log(levels)", "", r"off by exactly log2\(levels\)"),
        ("math.log(levels)", "math.log(levels - 1)", "levels - 1 stands where levels belongs"),
        (" / math.log(2)", "", "in nats per dimension"),
        (
            "-of_pixels / math.log(2)",
            "-of_pixels * dimensions / math.log(2)",
            "bits for the whole picture",
        ),
        (
            "-of_pixels / math.log(2)",
            "-of_pixels * dimensions",
            "neither bits nor for one dimension",
        ),
        (
            "each - math.log(levels)",
            "each - math.log(levels) / dimensions",
            "here once for the picture",
        ),
        ("nats / dimensions", "nats", "still that of the whole picture"),
        ("math.log(levels)", "dimensions * math.log(levels)", "the dimensions count twice"),
        ("return -of", "return of", "a code length is minus the log-probability"),
        ("/ math.log(2)", "* math.log(2)", "multiplied by log 2"),
        (
            "each - math.log(levels)",
            "each - math.log(levels) * math.log(2)",
            "log.levels. still in nats",
        ),
        (
            "each - math.log(levels)",
            "each * math.log(2) - math.log(levels)",
            "log-density still in nats",
        ),
        ("math.log(levels)", "levels", "levels are taken off and not their logarithm"),
        ("nats / dimensions", "nats / len(nats)", "divided by the number of pictures"),
        (
            "-of_pixels / math.log(2)",
            "(-of_pixels / math.log(2)).mean()",
            "averaged over the batch",
        ),
    ],
}
