"""What the words and quantities of a mail share with the lines of an account's invoices."""

import math
from collections import Counter
from collections.abc import Sequence

from matching.candidate import Candidate
from matching.hits import Mentions

_MOST_IDF = 5.0


class Goods:
    """Products and quantities of the mail against invoice lines; words all invoices share say nothing."""

    def __init__(self, pool: Sequence[Candidate], mentions: Mentions) -> None:
        self._mentions = mentions
        counts = Counter(stem for each in pool for stem in set().union(*each.known.stems))
        size = max(len(pool), 1)
        self._idf = {stem: math.log2((size + 1) / count) for stem, count in counts.items() if stem in mentions.stems}

    def add(self, candidate: Candidate) -> None:
        """The features `goods`, `goods_count`, `sku` and `goods_missing`."""
        features, of = candidate.features, candidate.known
        matched: set[str] = set()
        for words, count in zip(of.stems, of.counts, strict=True):
            here = words & self._idf.keys()
            matched |= here
            if count > 1 and count in self._mentions.counts:
                features["count"] = 1.0
                features["goods_count"] = max(features.get("goods_count", 0.0), float(bool(here)))
        features["sku"] = float(not of.skus.isdisjoint(self._mentions.words))
        features["goods"] = min(sum(self._idf[stem] for stem in matched), _MOST_IDF)
        features["goods_missing"] = float(bool(self._idf) and not matched)
