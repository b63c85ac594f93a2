"""How much a blind random sample says about errors nobody can see: its size, and the bound on their rate.

A draw is a row, taken at random; a draw is wrong where its decision is. For draws that all have the same chance of
being wrong the number of wrong ones is binomial, and Clopper and Pearson (Biometrika 26, 1934, 404-413) give the exact
one-sided upper bound: the largest rate at which so few wrong draws are not yet too rare. Without a wrong draw it is
``1 - (1 - confidence) ** (1 / draws)``, about 3 / draws at 95 % (the rule of three).

The draws of ``pipeline.audit_sample`` have unequal chances (one row from each of as many equal slices of the sorted
rows), whose mean is exactly the rate asked about. That only makes few errors rarer: without a wrong draw by the
inequality of the arithmetic and geometric means, ``prod(1 - p_i) <= (1 - mean) ** draws``; with some by Hoeffding
(Annals of Mathematical Statistics 27, 1956, 713-721), as long as ``errors <= draws * rate - 1`` for the rates beyond
the bound, which holds at a confidence of 80 % or more, short of all draws but one being wrong. The bound stays valid.
"""

from math import ceil, log1p

from scipy.special import betaincinv


def draws_needed(max_error: float, confidence: float) -> int:
    """The smallest number of draws of which none is wrong that bounds the rate of errors by ``max_error``.

    >>> draws_needed(0.001, 0.95)
    2995
    """
    return ceil(log1p(-confidence) / log1p(-max_error))


def upper_bound(errors: int, draws: int, confidence: float) -> float:
    """Clopper and Pearson's one-sided upper bound on the rate of errors, 0 to 1; 1 where nothing was drawn.

    >>> round(upper_bound(0, 2995, 0.95), 6), round(upper_bound(1, 2995, 0.95), 6)
    (0.001, 0.001583)
    """
    return float(betaincinv(errors + 1, draws - errors, confidence)) if errors < draws else 1.0
