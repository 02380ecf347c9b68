"""Wrong answers to the exercises of section 3: what is replaced in the published solution, and what the checker must then say."""

from __future__ import annotations

from wrong_answers import Mutant

MUTANTS: dict[str, list[Mutant]] = {
    "vae.kl": [
        ("(2 * log_scale).exp()", "log_scale.exp()", "sigma stands where sigma squared belongs"),
        ("- log_scale)", "- log_scale).mul(2)", "factor 1/2 is missing"),
        (" - 1)", ")", "constant -1/2"),
        (").sum(1)", ").mean(1)", "averaged over dimensions"),
        (").sum(1)", ").sum(1).mean()", "averaged over the batch"),
        (").sum(1)", ").sum(0)", "wrong axis"),
        (").sum(1)", ")", "sum over dimensions"),
        ("- log_scale)", "+ log_scale)", "sign of the logarithm"),
        ("- log_scale)", ")", "log-determinant is missing"),
        ("mean**2", "mean", "not squared"),
        (
            "(2 * log_scale).exp()\n",
            "(2 * log_scale).exp()\n    mean, log_scale = mean / variance.sqrt(), -log_scale\n    variance = 1 / variance\n",
            "the other way round",
        ),
        ("return (", "return -(", "never negative"),
    ],
    "vae.reparameterise": [
        ("log_scale.exp()", "log_scale", "by log sigma"),
        ("log_scale.exp()", "log_scale.exp() ** 2", "sigma squared stands where sigma belongs"),
        ("log_scale.exp()", "torch.sqrt(log_scale.exp())", "you read it as that of sigma squared"),
        ("mean + scale", "scale", "mean is not added"),
        ("mean + scale * noise", "scale * (mean + noise)", "mean is scaled too"),
        ("scale * noise", "noise", "not scaled"),
        ("mean + scale", "mean - scale", "sign of the noise"),
        ("mean + scale * noise", "(noise - mean) / scale", "standardises"),
        ("mean + scale * noise", "mean.detach() + scale * noise", "no gradient flows to mean"),
        ("log_scale.exp()", "log_scale.detach().exp()", "no gradient flows to log_scale"),
    ],
    "vae.elbo": [
        ("fit - kl", "fit + kl", "KL is added"),
        ("fit - kl", "kl - fit", "minus the bound"),
        ("fit - kl", "fit", "KL is missing"),
        ("fit - kl", "-kl", "log p.x.z. is missing"),
        (" - 0.5 * math.log(2 * math.pi)", "", "off by exactly d/2 log"),
        (" - decoded_log_scale", "", "no normaliser"),
        ("- log_scale).sum(1)", "- log_scale).mean(1)", "averaged over dimensions"),
        ("fit - kl", "(fit - kl).mean()", "averaged over the batch"),
    ],
    "vae.iwae": [
        (
            "(log_weights - largest).exp().mean(0).log() + largest",
            "log_weights.mean(0)",
            "log inside the mean",
        ),
        (".mean(0)", ".sum(0)", "off by exactly log K"),
        (
            ".exp().mean(0).log()",
            ".exp().sum(0).log() / len(log_weights)",
            "numbers of bound are wrong|factor",
        ),
        (
            "(log_weights - largest).exp().mean(0).log() + largest",
            "torch.logsumexp(log_weights, 0) / len(log_weights)",
            "divided by K after the logarithm",
        ),
        (
            "(log_weights - largest).exp().mean(0).log() + largest",
            "log_weights.exp().mean(0).log()",
            "underflows",
        ),
        (
            "(log_weights - largest).exp().mean(0).log() + largest",
            "(torch.logsumexp(log_weights, 1) - math.log(log_weights.shape[1]))",
            "wrong axis",
        ),
        ("(log_weights - largest).exp().mean(0).log() + largest", "largest", "only the largest"),
        (
            "+ largest",
            "+ largest.mean() - largest.mean() + largest + 2 * math.log(len(log_weights))",
            "log K is added",
        ),
    ],
}
