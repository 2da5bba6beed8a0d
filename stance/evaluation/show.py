"""Names and numbers as people read them; the same in every output."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from stance.evaluation.figures import ALL, Figure
from stance.evaluation.result import Evaluation
from stance.evaluation.slices import Slice

__all__ = ["NAMES", "Table", "name_of", "number", "p_value", "paper_tables", "shown", "slice_name"]

NAMES = {
    "macro_f1": "Macro-F1",
    "f1_against_favor": "F1 of against + favor",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "mcc": "Matthews correlation",
    "kappa": "Cohen's kappa",
    "ordinal_error": "Ordinal error",
    "ece": "Expected calibration error",
    "mce": "Maximum calibration error",
    "brier": "Brier score",
    "reliability": "Brier: reliability (lower is better)",
    "resolution": "Brier: resolution (higher is better)",
    "uncertainty": "Brier: uncertainty (of the data)",
    "within_bins": "Brier: left within bins",
    "log_loss": "Log loss",
    "aurc": "Area under risk-coverage",
    "extraction_precision": "Statements: precision",
    "extraction_recall": "Statements: recall",
    "extraction_f1": "Statements: F1",
    "speaker_accuracy": "Speaker right, of matched statements",
    "stance_accuracy": "Stance right, of matched statements",
    "triple_precision": "Triples: precision",
    "triple_recall": "Triples: recall",
    "triple_f1": "Triples: F1",
}
MINUS = "\u2212"


def name_of(figure: str) -> str:
    """Return the name of a figure for people."""
    kind, _, label = figure.partition("/")
    return f"{kind.replace('_', ' ').capitalize()} of {label}" if label else NAMES.get(figure, figure)


def number(x: float, *, signed: bool = False, digits: int = 3) -> str:
    """Return ``0.756``; a true minus sign, and none before zero."""
    return f"{round(x, digits) + 0.0:{'+' if signed else ''}.{digits}f}".replace("-", MINUS)


def shown(figure: Figure | None, *, signed: bool = False, digits: int = 3) -> str:
    """Return ``0.756 [0.715, 0.794]``; a dash where it is undefined."""
    if figure is None or math.isnan(figure.value):
        return "–"
    parts = [number(x, signed=signed, digits=digits) for x in (figure.value, figure.low, figure.high)]
    return parts[0] if math.isnan(figure.low) else f"{parts[0]} [{parts[1]}, {parts[2]}]"


def p_value(p: float) -> str:
    """Return a p-value with three decimals, ``< 0.001`` under that."""
    return "–" if math.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def slice_name(part: Slice) -> str:
    """Return ``target: China, length: 1-10 words``."""
    return ", ".join(f"{dimension}: {value}" for dimension, value in part.name)


class Table:
    """A table of text cells, the first column left and the others right."""

    def __init__(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        self.title = title
        self.columns = list(columns)
        self.rows = [list(row) for row in rows]

    def markdown(self) -> str:
        """Return the table in Markdown."""
        cells = [[cell.replace("|", r"\|") for cell in row] for row in (self.columns, *self.rows)]
        rule = ["---", *["---:"] * (len(self.columns) - 1)]
        lines = [cells[0], rule, *cells[1:]]
        return f"**{self.title}**\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"

    def latex(self) -> str:
        """Return the table in LaTeX with booktabs; one that is wider than the line is shrunk to it."""
        head, *rows = [" & ".join(_latex(cell) for cell in row) + r" \\" for row in (self.columns, *self.rows)]
        body = "\n".join(rows)
        return (
            "% needs \\usepackage{booktabs,graphicx}\n\\begin{table}\n\\centering\n"
            f"\\caption{{{_latex(self.title)}}}\n"
            "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%\n"
            f"\\begin{{tabular}}{{l{'r' * (len(self.columns) - 1)}}}\n"
            f"\\toprule\n{head}\n\\midrule\n{body}\n\\bottomrule\n\\end{{tabular}}}}\n\\end{{table}}\n"
        )


_LATEX = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    MINUS: "$-$",
    "–": "--",
    "<": "$<$",
    ">": "$>$",
}


def _latex(text: str) -> str:
    return "".join(_LATEX.get(c, c) for c in text)


def paper_tables(result: Evaluation) -> dict[str, Table]:
    """Return the tables for papers by file name."""
    items = result.items
    head = ("macro_f1", "f1_against_favor", "accuracy", "balanced_accuracy", "mcc", "kappa")
    names = [n for n in head if n in result.model.figures[ALL]]
    size = f"{len(items.records)} statements, {items.clusters} documents, {len(items)} items"
    where = f"{items.corpus}, {items.split}: {size}"
    found = {
        "systems": Table(
            f"{where}; 95 % intervals, bootstrap of documents",
            ["System", *map(name_of, names)],
            ([s.predictions.name, *(shown(s.figures[ALL].get(n)) for n in names)] for s in result.systems),
        ),
        "targets": Table(
            f"By target. {where}",
            ["Target", *map(name_of, names[:4])],
            ([t, *(shown(f.get(n)) for n in names[:4])] for t, f in result.model.figures.items()),
        ),
        "labels": Table(
            f"By label, all targets. {where}",
            ["Label", "Precision", "Recall", "F1", "Average precision"],
            (
                [label, *(shown(result.model.figures[ALL].get(f"{k}/{label}")) for k in _PER_LABEL)]
                for label in items.labels
            ),
        ),
        "comparisons": Table(
            "Model minus other system; p by paired bootstrap of documents and McNemar, corrected by Holm",
            ["Other system", "Macro-F1", "p", "Accuracy", "p", "p (McNemar)", "Wins", "Losses"],
            (
                [
                    *(c.other, shown(c.differences["macro_f1"], signed=True), p_value(c.corrected["macro_f1"])),
                    *(shown(c.differences["accuracy"], signed=True), p_value(c.corrected["accuracy"])),
                    *(p_value(c.corrected["mcnemar"]), str(c.wins), str(c.losses)),
                ]
                for c in result.comparisons
            ),
        ),
        "slices": Table(
            f"By slice. {where}",
            ["Slice", "Items", "Documents", "Accuracy", "Macro-F1"],
            (
                [
                    *(slice_name(s) + (" (small)" if s.small else ""), str(s.items), str(s.clusters)),
                    *(shown(s.figures["accuracy"]), shown(s.figures["macro_f1"])),
                ]
                for s in result.slices
            ),
        ),
    }
    if cal := result.model.calibration:
        figures = cal.figures[ALL]
        found["calibration"] = Table(
            "Calibration", ["Figure", "Value"], ([name_of(n), shown(f)] for n, f in figures.items())
        )
    if end := result.end_to_end:
        found["end_to_end"] = Table(
            f"Article to triple (statement, speaker, stance): {end.articles} articles, {end.gold} gold statements, "
            f"{end.found} found",
            ["Figure", "Value"],
            ([name_of(n), shown(f)] for n, f in end.figures.items()),
        )
    return found


_PER_LABEL = ("precision", "recall", "f1", "average_precision")
