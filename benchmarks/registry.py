"""The benchmarks `amiable bench` knows. A new one is a line here."""

from benchmarks import erp
from benchmarks.report import Bench

BENCHES: dict[str, Bench] = {
    "erp": Bench("Importing a ledger file, against row-by-row ORM inserts", 1_000_000, erp.run),
}
