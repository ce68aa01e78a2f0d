"""The peer of letters: WeasyPrint as its manual shows it, for the same pages. Fresh objects for each letter: fonts,
HTML and CSS are read each time, tables have automatic columns, payment codes are drawings.

Run as a process of its own (`python -m benchmarks.plain_letters FIRST END`); prints what it measured as JSON.
"""

import json
import logging
import sys
from time import perf_counter, process_time

import weasyprint
from weasyprint.text.fonts import FontConfiguration

from benchmarks.sample_letters import Sample, samples
from letters.compose import LAYOUT

_AUTOMATIC = "table { table-layout: auto; border-collapse: collapse }"


def pdf(sample: Sample) -> bytes:
    """One letter, as a program prints it that prints a single one."""
    page, fonts = sample.page, FontConfiguration()
    own = f"h1, h2, th, .name {{ color: {page.accent} }} .pay {{ border-left-color: {page.accent} }} {_AUTOMATIC}"
    styles = [weasyprint.CSS(filename=LAYOUT / f"{name}.css", font_config=fonts) for name in page.styles]
    html = "<!DOCTYPE html>" + page.html.replace('<img src="letter:code" alt=""/>', sample.code)
    return bytes(
        weasyprint.HTML(string=html).write_pdf(
            stylesheets=[*styles, weasyprint.CSS(string=own, font_config=fonts)],
            font_config=fonts,
            pdf_variant="pdf/a-3b",
            attachments=[weasyprint.Attachment(string=page.data, name="letter.json", relationship="Data")],
        )
    )


def main() -> None:
    """Print the letters asked for; composing them is not counted."""
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
    seconds = cpu = 0.0
    size = 0
    for sample in samples(int(sys.argv[1]), int(sys.argv[2])):
        began, used = perf_counter(), process_time()
        size += len(pdf(sample))
        seconds, cpu = seconds + perf_counter() - began, cpu + process_time() - used
    print(json.dumps({"seconds": seconds, "cpu": cpu, "bytes": size}))


if __name__ == "__main__":
    main()
