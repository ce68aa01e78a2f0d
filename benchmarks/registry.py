"""The benchmarks `amiable bench` knows. A new one is a line here."""

from benchmarks import classify, erp, learning, letter_run, letters, match, pipeline, progress, quotes
from benchmarks.report import Bench

BENCHES: dict[str, Bench] = {
    "classify": Bench("Understanding mails, against a plain scikit-learn pipeline", 1_000, classify.run),
    "erp": Bench("Importing a ledger file, against row-by-row ORM inserts", 1_000_000, erp.run),
    "learning": Bench("Learning from 200 corrections of a seller", 200, learning.run),
    "letter_run": Bench("A run of letters, from the preview to the last PDF", 10_000, letter_run.run),
    "letters": Bench("Printing letters, against WeasyPrint used plainly", 1_000, letters.run),
    "match": Bench("Finding a mail's invoices in a ledger, against four ways others do it", 100_000, match.run),
    "pipeline": Bench("Whole mails through the mailroom, with a ledger", 1_000_000, pipeline.run),
    "progress": Bench("Open cases going on by themselves, against one by one", 100_000, progress.run),
    "quotes": Bench("New text told from history, against quotequail", 2_000, quotes.run),
}
