"""amiable bench learning: what 200 corrections of a seller bring on the rest of that seller's mails.

The mails are those of the development corpus that ship as examples. The model one starts from has learned none of the
seller's: either nothing of the corpus (as in a new deployment, whose mails are like no example), or the two other
sellers' mails, written by the same hands. `size` mails are drawn and their reasons revealed (of a seller with fewer
than one and a half times as many: half), the model learns them as a deployment's own, and both are asked about the
rest; four draws by chance, and once the oldest, as corrections come in life. `left` is the share of errors left.
"""

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources

from benchmarks.report import Options, Report, Row
from disputes.classifier import Example, Model, shipped_examples, train
from disputes.examples import example_of
from disputes.understanding import understand

DRAWS = 4
NOTHING, OTHERS = "nothing of the corpus", "the other sellers"
Split = tuple[list[Example], list[Example]]


@dataclass
class Tally:
    """Errors before and after of one start and one seller, over all draws."""

    revealed: int = 0
    asked: int = 0
    before: int = 0
    after: int = 0

    @property
    def down(self) -> float:
        """The share of errors that went."""
        return round(1 - self.after / self.before, 4) if self.before else 0.0

    def row(self, subject: str, draws: int) -> Row:
        """As the report shows it."""
        return {
            "subject": subject,
            "revealed": self.revealed // draws,
            "asked": self.asked,
            "errors_before": round(self.before / max(self.asked, 1), 4),
            "errors_after": round(self.after / max(self.asked, 1), 4),
            "left": round(self.after / max(self.before, 1), 4),
        }


def run(options: Options) -> Report:
    """Both starts, every seller."""
    rows: list[Row] = []
    ratios: dict[str, float] = {}
    mails = mails_by_seller()
    for start, name in ((NOTHING, "new"), (OTHERS, "known")):
        by_chance, by_date, enough = Tally(), Tally(), Tally()
        for seller in mails:
            theirs = [mail for mail in mails[seller] if mail.direction == "in"]
            known = shipped_examples(exclude_accounts=_left_out(mails, seller, start))
            model = train(known)
            drawn = Tally()
            whole = [enough] if _has_enough(theirs, options.size) else []
            for split in _draws(theirs, options.size):
                _add(split, known, model, drawn, by_chance, *whole)
            _add(_split(theirs, options.size), known, model, by_date)
            rows.append(drawn.row(f"{seller} from {start}", DRAWS))
        rows.append(by_chance.row(f"all from {start}", DRAWS * len(mails)))
        rows.append(by_date.row(f"all by date, from {start}", len(mails)))
        ratios |= {
            f"errors_down_{name}": by_chance.down,
            f"errors_down_{name}_by_date": by_date.down,
            f"errors_down_{name}_full_size": enough.down,
        }
    return Report("learning", options.size, rows, ratios)


def mails_by_seller() -> dict[str, list[Example]]:
    """The corpus' mails by seller, in order of date."""
    text = (resources.files("disputes") / "training" / "dev-mails.jsonl").read_text(encoding="utf-8")
    found: dict[str, list[Example]] = defaultdict(list)
    for line in text.splitlines():
        row = json.loads(line)
        found[row["seller"]].append(example_of(row))
    return dict(found)


def _left_out(mails: dict[str, list[Example]], seller: str, start: str) -> frozenset[str]:
    without = mails if start == NOTHING else {seller: mails[seller]}
    return frozenset(mail.account for theirs in without.values() for mail in theirs)


def _draws(mails: Sequence[Example], size: int) -> Iterator[Split]:
    for seed in range(DRAWS):
        yield _split(random.Random(seed).sample(list(mails), len(mails)), size)


def _has_enough(mails: Sequence[Example], size: int) -> bool:
    return len(mails) >= size * 3 // 2


def _split(mails: Sequence[Example], size: int) -> Split:
    """What is revealed, and the rest."""
    count = size if _has_enough(mails, size) else len(mails) // 2
    return list(mails[:count]), list(mails[count:])


def _add(split: Split, known: Sequence[Example], before: Model, *tallies: Tally) -> None:
    revealed, asked = split
    after = train(known, own=revealed)
    errors = [_errors(asked, model) for model in (before, after)]
    for tally in tallies:
        tally.revealed += len(revealed)
        tally.asked += len(asked)
        tally.before += errors[0]
        tally.after += errors[1]


def _errors(asked: Sequence[Example], model: Model) -> int:
    return sum(understand(one.mail, one.facts, model).reason != one.reason for one in asked)
