"""Wrong answers to the exercises of section 4: what is replaced in the published solution, and what the checker must then say."""

from __future__ import annotations

from wrong_answers import Mutant

MUTANTS: dict[str, list[Mutant]] = {
    "gan.losses": [
        (
            "return discriminator, generator",
            "return generator, discriminator",
            "returned in the wrong order",
        ),
        (
            "generator = softplus(-fake_logits)",
            "generator = -softplus(fake_logits)",
            "the saturating one",
        ),
        (
            "generator = softplus(-fake_logits).mean()",
            "generator = -discriminator",
            "minus the discriminator's",
        ),
        (
            "generator = softplus(-fake_logits)",
            "generator = softplus(fake_logits)",
            "pushes its own logits down",
        ),
        (" + softplus(fake_logits).mean()", "", "does not look at generated examples"),
        ("softplus(-real_logits).mean() + ", "", "does not look at real examples"),
        (
            "softplus(-real_logits).mean() + softplus(fake_logits)",
            "softplus(real_logits).mean() + softplus(-fake_logits)",
            "labels are exchanged",
        ),
        ("softplus(-real_logits)", "softplus(real_logits)", "sign of the real logits"),
        ("+ softplus(fake_logits)", "+ softplus(-fake_logits)", "sign of the generated logits"),
        ("return discriminator,", "return discriminator / 2,", "discriminator's loss is halved"),
        (
            "softplus(-real_logits).mean() + softplus(fake_logits).mean()",
            "torch.cat([softplus(-real_logits), softplus(fake_logits)]).mean()",
            "share one mean",
        ),
        (".mean()", ".sum()", "you summed over the batches"),
        (
            "torch.nn.functional.softplus",
            "lambda x: (1 + x.exp()).log()",
            "written out and its logarithm is infinite",
        ),
        (
            "torch.nn.functional.softplus",
            "lambda x: -torch.log(torch.sigmoid(-x))",
            "logarithm is infinite for large",
        ),
        (
            "softplus = ",
            "real_logits, fake_logits = real_logits.sigmoid(), fake_logits.sigmoid()\n    softplus = ",
            "taken twice",
        ),
        ("torch.nn.functional.softplus", "lambda x: x", "Wasserstein critic"),
        (
            "torch.nn.functional.softplus",
            "lambda x: torch.log2(1 + x.exp())",
            "infinite for large logits",
        ),
        (
            "return discriminator,",
            "return discriminator.detach(),",
            "no gradient flows to real_logits",
        ),
        (
            "-fake_logits).mean()\n",
            "-fake_logits)\n",
            r"generator_loss has shape \(2,\), expected a single number",
        ),
    ],
    "gan.r1": [
        ("0.5 * ", "", "factor 1/2 is missing"),
        (".sum(1).mean()", ".sum(1)", "one penalty for each row"),
        (".sum(1).mean()", ".sum()", "summed over the batch"),
        (".sum(1).mean()", ".mean()", "averaged over dimensions too"),
        ("(gradient**2).sum(1)", "gradient.norm(dim=1)", "norm is not squared"),
        ("(gradient**2).sum(1)", "((gradient.norm(dim=1) - 1) ** 2)", "pulls the norm to one"),
        ("0.5 * (gradient**2).sum(1)", "((gradient.norm(dim=1) - 1) ** 2)", "with a factor 1/2"),
        ("scores.sum()", "scores.mean()", "n times too small"),
        ("(gradient**2).sum(1).mean()", "(gradient.mean(0) ** 2).sum()", "opposite ones cancel"),
        ("(gradient**2).sum(1)", "(gradient.sum(1) ** 2)", "components of a gradient are added"),
        ("(gradient**2)", "gradient.abs()", "absolute value"),
        ("(gradient**2).sum(1)", "(scores**2)", "scores themselves"),
        ("discriminator(x)", "discriminator(x).sigmoid()", "probability sigmoid"),
        (
            "discriminator(x)",
            "torch.nn.functional.softplus(-discriminator(x))",
            "gradient is that of the loss",
        ),
        ("return 0.5", "return -0.5", "sign is wrong"),
        (", create_graph=True", "", "has a gradient to the discriminator's parameters"),
        (
            "(gradient**2)",
            "(gradient.detach() ** 2)",
            "has a gradient to the discriminator's parameters",
        ),
        (".requires_grad_(True)", "", "RuntimeError: .*does not require grad"),
        ("0.5 * ", "5.0 * ", "every number is 10 times the right one"),
    ],
}
