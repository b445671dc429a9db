# SPDX-License-Identifier: GPL-2.0-only
"""All that a run of tools/bench/all has found, as Markdown: the goals first, and where something else is faster."""

import goals
import programs
import report
import sizes
import tcp
from subjects import title


def left_out(document):
    """What could not be measured, and why."""
    lines = {f"- {report.title(cell)}: {title(name)}: {why}."
             for cell in document.get("packets", []) for name, why in cell["missing"].items()}
    return ["", "Left out:", "", *sorted(lines)] if lines else []


def sections(document):
    yield "Goals", goals.table(document)
    yield "Where something else is faster", goals.slower(document, tcp.FIGURES)
    if "packets" in document:
        yield "Packets", report.packets(document) + left_out(document)
    if "tcp" in document:
        yield "TCP", [line for part in document["tcp"] for line in [*tcp.table(part), ""]][:-1]
    if "programs" in document:
        yield "The program alone", ["Fast tier, BPF_PROG_RUN, over an empty program.", "",
                                    *programs.table(document["programs"])]
    if "sizes" in document:
        yield "Memory, and making rules", sizes.table(document["sizes"])


def markdown(document):
    versions = "; ".join(document["versions"].values())
    lines = [f"{report.machine_line(document)} {versions}. Command: `{document['command']}`.",
             *report.failed(document)]
    for heading, its in sections(document):
        lines += ["", f"### {heading}", "", *its]
    return "\n".join(lines)
