"""Our side of the benchmark of letters, as a process of its own: `python -m benchmarks.our_letters COUNT WORKERS`."""

import json
import resource
import sys
from time import perf_counter

from benchmarks.sample_letters import samples
from letters.printer import LetterPrinter


def main() -> None:
    """Print the letters; composing happens beside, in this process, and is not counted as printing."""
    count, workers = int(sys.argv[1]), int(sys.argv[2])
    size = faults = 0
    with LetterPrinter(workers=workers) as printer:
        began = perf_counter()
        for found in printer.print_letters(sample.page for sample in samples(0, count)):
            size += len(found.pdf)
            faults += bool(found.fault)
        seconds = perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    print(json.dumps({"seconds": seconds, "cpu": cpu, "bytes": size, "faults": faults}))


if __name__ == "__main__":
    main()
