"""From the rows of a page to the monthly income that it states. Pure: no files, no network.

A page is read by its words and their places, in either of the two forms that stubs come in:
a value stands right of its label, or beneath the heading of its column.
"""

import re
from dataclasses import asdict, dataclass
from decimal import Decimal

PAYMENTS_A_YEAR = {
    r"month": 12,
    r"twice a month|semi-?month": 24,
    r"two weeks|bi-?week|fortnight": 26,
    r"week": 52,
    r"year|annual": 1,
}
# Sums since the new year are not the pay of a period.
GROSS = r"gross (pay|salary|wages?)\b(?!.*to date)"
NET = r"net (pay|salary|wages?)\b(?!.*to date)"
CENT = Decimal("0.01")
ROUNDING = Decimal("0.02")  # what sums of rounded figures may differ by
# Confidence: each sign that is missing lowers it; a figure that another one contradicts is worth little.
WITHOUT_EMPLOYER = 0.8
CONTRADICTED = 0.3


@dataclass(frozen=True)
class Statement:
    """`monthly_income` is null and `confidence` 0 on a page that states no income."""

    employer: str | None
    monthly_income: float | None
    confidence: float

    def as_json(self):
        return asdict(self)


def read_page(rows) -> Statement:
    employer = text_of(rows, r"employer|company")
    gross = amount_of(rows, GROSS)
    frequency = frequency_of(rows)
    if gross is None or frequency is None:
        return Statement(employer, None, 0.0)
    monthly = (gross * frequency / 12).quantize(CENT)
    confidence = 1.0 if employer else WITHOUT_EMPLOYER
    if contradicted(rows, gross):
        confidence *= CONTRADICTED
    return Statement(employer, float(monthly), round(confidence, 2))


def contradicted(rows, gross):
    """Whether gross less deductions is another figure than the net that the page states."""
    deductions = amount_of(rows, r"(total )?deductions")
    net = amount_of(rows, NET)
    if deductions is None or net is None:
        return False
    return abs(gross - abs(deductions) - net) > ROUNDING


def frequency_of(rows):
    """How many times a year the gross pay is paid; its label says it, or a field of its own."""
    label = next((row[0].text for row in rows if re.match(GROSS + r".*\(", row[0].text, re.I)), None)
    words = label or text_of(rows, r"(pay )?frequency") or ""
    matches = ((re.search(pattern, words, re.I), times) for pattern, times in PAYMENTS_A_YEAR.items())
    # The longest match wins: "every two weeks" is more than "week".
    lengths = [(len(match.group()), times) for match, times in matches if match]
    return Decimal(max(lengths)[1]) if lengths else None


def text_of(rows, label):
    """The text that belongs to a label: right of it, or beneath it where it heads a column."""
    for index, row in enumerate(rows):
        for place, cell in enumerate(row):
            if not re.fullmatch(rf"({label}):?", cell.text, re.I):
                continue
            if place == 0 and len(row) == 2:
                return row[1].text
            if len(row) > 2 and index + 1 < len(rows):
                return nearest(rows[index + 1], cell.column).text
    return None


def amount_of(rows, label):
    """The amount in the row of a label; among several, the one in the column of this period."""
    heading = next((c for row in rows for c in row if re.fullmatch(r"(this|current) period", c.text, re.I)), None)
    for row in rows:
        if len(row) < 2 or not re.match(label, row[0].text, re.I):
            continue
        cell = nearest(row[1:], heading.column) if heading else row[1]
        if (value := amount(cell.text)) is not None:
            return value
    return None


def nearest(cells, column):
    return min(cells, key=lambda cell: abs(cell.column - column))


def amount(text):
    """The number in `text`, however it is written: 4,250.00 or 4.250,00 or 4 250,00 or EUR 4250."""
    match = re.search(r"-?\d[\d.,' \u00a0\u202f]*", text)
    if not match:
        return None
    digits = re.sub(r"['\s]", "", match.group()).rstrip(".,")
    # A last mark with one or two digits behind it is the decimal one, all others part thousands.
    whole, cents = re.fullmatch(r"(-?[\d.,]*?)(?:[.,](\d{1,2}))?", digits).groups()
    return Decimal(f"{re.sub('[.,]', '', whole)}.{cents or 0}")
