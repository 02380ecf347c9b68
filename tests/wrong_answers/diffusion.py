"""Wrong answers to the exercises of section 6: what is replaced in the published solution, and what the checker must then say."""

from __future__ import annotations

from wrong_answers import Mutant

NOISED = "share.sqrt() * x + (1 - share).sqrt() * noise"
MUTANTS: dict[str, list[Mutant]] = {
    "diffusion.noise": [
        ("alpha_bar[:, None]", "alpha_bar", "give it a second axis"),
        (NOISED, "share * x + (1 - share) * noise", "both square roots are missing"),
        ("(1 - share).sqrt()", "(1 - share)", "noise is scaled by a variance"),
        ("share.sqrt() * x", "share * x", "data are scaled by a share of the variance"),
        (NOISED, "(1 - share).sqrt() * x + share.sqrt() * noise", "the two scales are exchanged"),
        ("(1 - share).sqrt()", "(1 - share.sqrt())", "your two scales add to one"),
        (
            NOISED,
            "share * x + (1 - share**2).sqrt() * noise",
            "you read alpha_bar as the factor of the data",
        ),
        ("(1 - share).sqrt() * noise", "noise", "the noise is not scaled"),
        ("share.sqrt() * x", "x", "the data are not scaled"),
        (NOISED, "x + (1 / share - 1).sqrt() * noise", "divided by the scale of the data"),
        ("+ (1 - share)", "- (1 - share)", "sign of the noise is wrong"),
        (" + (1 - share).sqrt() * noise", "", "this is the mean"),
        ("alpha_bar[:, None]", "alpha_bar[0]", "noise level of the first one"),
        ("alpha_bar[:, None]", "alpha_bar.mean()", "mean noise level of the batch"),
        ("alpha_bar[:, None]", "torch.cumprod(alpha_bar, 0)[:, None]", "running product already"),
    ],
    "diffusion.loss": [
        (".mean()", ".sum(1).mean()", "grow with the dimension"),
        (".mean()", ".sum(0).mean()", "grow with the batch"),
        (".mean()", ".sum()", "summed over all entries"),
        (".mean()", ".mean() / 2", "no factor 1/2"),
        ("(error**2)", "error.abs()", "absolute error"),
        (".mean()", ".mean().sqrt()", "root mean square"),
        ("(error**2).mean()", "error.mean() ** 2", "averaged before squaring"),
        ("(error**2)", "error", "not squared"),
        ("(error**2).mean()", "error.norm(dim=1).mean()", "norms of the rows"),
        ("predicted_noise - noise", "predicted_noise + noise", "the two are added"),
        ("(error**2)", "-(error**2)", "sign is wrong"),
        (".mean()", ".mean(1)", "one value for each row"),
        (".mean()", ".mean(0)", "one value for each dimension"),
        ("(error**2).mean()", "error**2", "one value for each entry"),
        (
            "predicted_noise - noise",
            "predicted_noise.detach() - noise",
            "no gradient flows to predicted_noise",
        ),
        (".mean()", ".mean().item()", "gradient"),
    ],
    "diffusion.ddim": [
        (
            "return next_alpha_bar.sqrt() * clean + (1 - next_alpha_bar).sqrt() * predicted_noise",
            "return clean",
            "clean guess; noise",
        ),
        (" + (1 - next_alpha_bar).sqrt() * predicted_noise", "", "no noise is put back"),
        ("(1 - next_alpha_bar)", "(1 - alpha_bar)", "put back at the old level"),
        (
            "next_alpha_bar.sqrt() * clean",
            "alpha_bar.sqrt() * clean",
            "keeps the scale of the old level",
        ),
        ("next_alpha_bar.sqrt() * clean", "clean", "not scaled to the next level"),
        (
            "    clean",
            "    next_alpha_bar = alpha_bar\n    clean",
            "nothing moves",
        ),
        (" / alpha_bar.sqrt()", "", "not scaled up to clean data"),
        (" / alpha_bar.sqrt()", " / alpha_bar", "scaled up by alpha_bar"),
        ("(1 - alpha_bar).sqrt()", "(1 - alpha_bar)", "taken out with its variance"),
        ("(1 - next_alpha_bar).sqrt()", "(1 - next_alpha_bar)", "put back with its variance"),
        (".sqrt()", "", "all four square roots"),
        ("(x - (1", "(x + (1", "added where the clean guess takes it out"),
        ("clean + (1", "clean - (1", "taken out where it should be put back"),
        (
            "    clean",
            "    alpha_bar, next_alpha_bar = next_alpha_bar, alpha_bar\n    clean",
            "levels are exchanged",
        ),
        (
            "(1 - next_alpha_bar).sqrt()",
            "(1 - next_alpha_bar) / (1 - alpha_bar).sqrt() * (alpha_bar / next_alpha_bar).sqrt()",
            "mean of the stochastic step",
        ),
    ],
}
