"""Wrong answers to the exercises of section 2: what is replaced in the published solution, and what the checker must then say."""

from __future__ import annotations

from wrong_answers import Mutant

MUTANTS: dict[str, list[Mutant]] = {
    "ar.log_likelihood": [
        ("terms.sum(1)", "-terms.sum(1)", "this is the loss, minus the log-likelihood"),
        ("terms.sum(1)", "terms.mean(1)", "averaged over positions"),
        (
            "log_p.gather(2, tokens.unsqueeze(2)).squeeze(2)\n    return terms.sum(1)",
            "torch.nn.functional.cross_entropy(logits.transpose(1, 2), tokens, reduction='none')\n    return terms.mean(1)",
            "loss a token: minus, and averaged",
        ),
        ("terms.sum(1)", "terms", "sum over positions"),
        ("logits.log_softmax(2)", "logits", "not normalised over the k tokens"),
        ("log_softmax(2)", "log_softmax(1)", "over positions and not over the k tokens"),
        ("log_softmax(2)", "log_softmax(0)", "over the batch and not over the k tokens"),
        ("logits.log_softmax(2)", "logits.softmax(2).log_softmax(2)", "normalised twice"),
        (
            "log_p.gather(2, tokens.unsqueeze(2))",
            "log_p[:, :-1].gather(2, tokens[:, 1:].unsqueeze(2))",
            r"logits\[:, t\] were compared with tokens\[:, t \+ 1\]",
        ),
        (
            "log_p.gather(2, tokens.unsqueeze(2))",
            "log_p[:, 1:].gather(2, tokens[:, :-1].unsqueeze(2))",
            r"logits\[:, t \+ 1\] were compared with tokens\[:, t\]",
        ),
        ("log_softmax(2)", "softmax(2)", "probabilities are added up"),
        ("terms.sum(1)", "terms.exp().sum(1).log()", "outside the sum of probabilities"),
        ("terms.sum(1)", "terms.exp().prod(1)", "the probability and not its logarithm"),
        ("terms.sum(1)", "terms.sum(1) / math.log(2)", "these are bits"),
        (
            "log_p.gather(2, tokens.unsqueeze(2)).squeeze(2)",
            "log_p.amax(2)",
            "most probable token was scored",
        ),
        ("terms.sum(1)", "terms[:, -1]", "only the last position"),
        ("terms.sum(1)", "terms[:, 1:].sum(1)", "the first token is left out"),
        ("terms.sum(1)", "terms.sum(0)", "summed over the batch"),
        ("terms.sum(1)", "terms.mean()", "averaged over everything"),
        ("terms.sum(1)", "-terms.mean()", "loss of training"),
        ("terms.sum(1)", "terms.sum(1).mean()", "averaged over the batch"),
        (
            "logits.log_softmax",
            "logits.detach().log_softmax",
            "gradients cannot flow|no gradient flows to logits",
        ),
    ],
    "ar.kv_cache": [
        (" / math.sqrt(query.shape[1])", "", r"not divided by sqrt\(d\)"),
        ("math.sqrt(query.shape[1])", "query.shape[1]", "divided by d and not by its square root"),
        ("/ math.sqrt(query.shape[1])", "* math.sqrt(query.shape[1])", r"multiplied by sqrt\(d\)"),
        (
            "math.sqrt(query.shape[1])",
            "math.sqrt(keys.shape[1])",
            "square root of the number of positions",
        ),
        (
            "math.sqrt(query.shape[1])\n    weights = scores.softmax(1)",
            "1.0\n    weights = scores.softmax(1) / math.sqrt(query.shape[1])",
            "weights no longer sum to one",
        ),
        ("scores.softmax(1)", "scores.softmax(0)", "over the batch and not over positions"),
        ("scores.softmax(1)", "scores", "scores are no weights"),
        ("scores.softmax(1)", "scores.exp()", "not divided by their sum"),
        (
            "(weights.unsqueeze(2) * values).sum(1)",
            "values.mean(1)",
            "every position weighs the same",
        ),
        (
            "scores.softmax(1)",
            "(scores == scores.amax(1, keepdim=True)).to(scores)",
            "position of the largest score",
        ),
        (
            "scores.softmax(1)",
            "torch.cat([scores[:, :-1].softmax(1), torch.zeros_like(scores[:, :1])], 1)",
            "does not see its own position",
        ),
        (
            "return output, keys, values",
            "return output, keys[:, :-1], values[:, :-1]",
            "the cache did not grow",
        ),
        (
            "torch.cat([keys, new_key.unsqueeze(1)], 1)\n    values = torch.cat([values, new_value.unsqueeze(1)], 1)",
            "torch.cat([new_key.unsqueeze(1), keys], 1)\n    values = torch.cat([new_value.unsqueeze(1), values], 1)",
            "in front of the cache",
        ),
        (
            "(weights.unsqueeze(2) * values)",
            "(weights.unsqueeze(2) * keys)",
            "the mean is over keys",
        ),
        (
            "(keys * query.unsqueeze(1))",
            "(values * query.unsqueeze(1))",
            "scores are made with the values",
        ),
        (
            "return output, keys, values",
            "return torch.nn.functional.scaled_dot_product_attention(query.unsqueeze(1), values, keys).squeeze(1), keys, values",
            "keys and values are exchanged",
        ),
        ("new_key.unsqueeze(1)", "query.unsqueeze(1)", "the query was appended to the keys"),
        (
            "return output, keys, values",
            "return output, values, keys",
            "keys and values are returned in the wrong order",
        ),
        ("return output, keys, values", "return keys, values, output", "the output belongs first"),
        (
            "return output, keys, values",
            "return output",
            "returns one Tensor, expected 3 values|1 values, expected 3",
        ),
    ],
}
