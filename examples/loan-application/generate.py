#!/usr/bin/env python3
"""Makes pay stubs as PDF files: the test material of this example. Standard library only.

  generate.py --cases --out stubs                 every file that cases.json names
  generate.py --out my.pdf --layout b --pages 3   one stub; what is not given is drawn from --seed

The same options give the same bytes. Figures are EUR. Layout `a` is a list of labels with their
values beside them and English numbers (4,250.00). Layout `b` is a statement in columns, values
beneath their headings, continental numbers (4.250,00), and the pay of one pay period only, so
that the monthly income has to be computed from how often it is paid.
"""

import argparse
import json
import random
import sys
from dataclasses import dataclass, fields, replace
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

HERE = Path(__file__).parent
CENT = Decimal("0.01")
MAX_PAGES = 4
MAX_NAME = 48  # letters; a longer name would be too small to read in its column
RIGHT_EDGE = 570
LETTER_WIDTH = 0.75  # of the font size: what a capital of Helvetica takes on average
PERIODS_A_YEAR = {"monthly": 12, "twice a month": 24, "every two weeks": 26, "weekly": 52}
FIRST_NAMES = "Ada Bela Chiara Dmitri Elif Femke Goran Hanne Ines Jonas Kaja Luca Mirela Nils Odile Pavel".split()
LAST_NAMES = "Albrecht Bianchi Costa Dvorak Eriksen Fischer Garcia Horvat Ivanova Jansen Keller Lund".split()
TRADES = "Bakery Shipping Optics Textiles Robotics Orchards Printing Glassworks Logistics Instruments".split()
FORMS = ["GmbH", "Ltd.", "B.V.", "S.A.", "AB"]


@dataclass
class Stub:
    layout: str = "a"
    pages: int = 1
    name: str = ""
    employer: str = ""
    monthly: Decimal = Decimal(0)
    frequency: str = "monthly"
    net_is_wrong: bool = False  # gross less deductions is not the net: somebody changed a figure
    damage: str = "none"  # or "truncated", "text"
    seed: int = 1


def complete(stub):
    """The stub with all that was left open drawn from its seed."""
    draw = random.Random(stub.seed)
    name = f"{draw.choice(FIRST_NAMES)} {draw.choice(LAST_NAMES)}"
    employer = f"{draw.choice(LAST_NAMES)} {draw.choice(TRADES)} {draw.choice(FORMS)}"
    monthly = Decimal(draw.randrange(220_000, 980_000)) / 100
    return replace(
        stub,
        name=stub.name or name,
        employer=stub.employer or employer,
        monthly=Decimal(stub.monthly) or monthly,
    )


def render(stub):
    """The bytes of the file."""
    stub = complete(stub)
    if stub.damage == "text":
        return f"Dear bank,\n\nI earn {stub.monthly} EUR a month. Really.\n\n{stub.name}\n".encode()
    draw = {"a": label_pages, "b": column_pages, "letter": letter_pages}[stub.layout]
    data = pdf(draw(stub, random.Random(stub.seed)))
    return data[: len(data) * 6 // 10] if stub.damage == "truncated" else data


# --- what stands on the pages: lists of (x, y, size, bold, text), points from the lower left ---


def label_pages(stub, draw):
    gross = cents(stub.monthly)
    deductions, net = take_home(stub, gross, draw)
    month = draw.randrange(1, 13)
    rows = [
        ("Employer", stub.employer),
        ("Employee", stub.name),
        ("Pay period", f"2026-{month:02}-01 to 2026-{month:02}-28"),
        ("Gross pay (monthly)", f"EUR {english(gross)}"),
        ("Total deductions", f"EUR {english(deductions)}"),
        ("Net pay", f"EUR {english(net)}"),
        ("Gross pay, year to date", f"EUR {english(gross * month)}"),
    ]
    yield heading("Pay stub", 1, stub) + beside(rows)
    for number in range(2, stub.pages + 1):
        rows = [
            ("Employer", stub.employer),
            ("Leave taken (days)", f"{draw.randrange(1, 60) / 2:.2f}"),
            ("Pension, employer's share", f"EUR {english(gross * draw.randrange(3, 9) / 100)}"),
            ("Gross pay, year to date", f"EUR {english(gross * month)}"),
            ("Hours worked", f"{draw.randrange(120, 184)}.00"),
        ]
        yield heading("Details", number, stub) + beside(rows)


def column_pages(stub, draw):
    gross = cents(stub.monthly * 12 / PERIODS_A_YEAR[stub.frequency])
    deductions, net = take_home(stub, gross, draw)
    bonus = cents(gross * draw.randrange(0, 20) / 100)
    so_far = draw.randrange(2, 12)
    columns = [50, 190, 260, 340, 450]
    owner = [["Company", "Employee", "Pay frequency"], [stub.employer, stub.name, stub.frequency]]
    table = [["Description", "Hours", "Rate", "This period", "Year to date"]]
    table.append(["Regular", "80,00", continental((gross - bonus) / 80)])
    table[-1] += [continental(gross - bonus), continental((gross - bonus) * so_far)]
    for label, amount in [("Bonus", bonus), ("Gross pay", gross), ("Total deductions", -deductions), ("Net pay", net)]:
        table.append([label, "", "", continental(amount), continental(amount * so_far)])
    wide = [50, 250, 450]
    yield heading("Earnings statement", 1, stub) + grid(owner, wide, 750) + grid(table, columns, 680)
    for number in range(2, stub.pages + 1):
        table = [["Benefit", "Hours", "Rate", "Amount", "Year to date"]]
        for label in ("Holiday balance", "Pension", "Travel"):
            amount = cents(gross * draw.randrange(1, 9) / 100)
            table.append([label, f"{draw.randrange(1, 40)},00", "", continental(amount), continental(amount * so_far)])
        yield heading("Benefits", number, stub) + grid(owner, wide, 750) + grid(table, columns, 680)


def letter_pages(stub, draw):
    """A proper PDF that states no income."""
    for number in range(1, stub.pages + 1):
        lines = [(stub.employer, ""), (f"We confirm that {stub.name} works here.", ""), ("Sincerely", "")]
        yield heading("Letter", number, stub) + beside(lines)


def take_home(stub, gross, draw):
    deductions = cents(gross * draw.randrange(18, 36) / 100)
    return deductions, gross - deductions + (cents(gross / 3) if stub.net_is_wrong else 0)


def heading(title, number, stub):
    return [(50, 790, 18, True, title), (450, 790, 9, False, f"Page {number} of {stub.pages}")]


def beside(rows):
    text = []
    for index, (label, value) in enumerate(rows):
        text += [(50, 740 - 22 * index, 11, False, label), (280, 740 - 22 * index, 11, True, value)]
    return text


def grid(rows, columns, top):
    """A long text is set smaller, so that it ends before the next column begins."""
    rooms = [end - x - 5 for x, end in zip(columns, columns[1:] + [RIGHT_EDGE])]
    return [
        (x, top - 18 * index, min(9, room / (LETTER_WIDTH * len(cell) or 1)), index == 0, cell)
        for index, row in enumerate(rows)
        for x, room, cell in zip(columns, rooms, row)
    ]


def cents(amount):
    return Decimal(amount).quantize(CENT, ROUND_HALF_UP)


def english(amount):
    return f"{cents(amount):,}"


def continental(amount):
    return english(amount).translate(str.maketrans(",.", ".,"))


# --- the PDF file itself (ISO 32000-1, 7.5: header, objects, cross-reference table, trailer) ---


def pdf(pages):
    contents = [content(page) for page in pages]
    kids = " ".join(f"{5 + 2 * i} 0 R" for i in range(len(contents)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(contents)} /MediaBox [0 0 595 842] "
        "/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>".encode(),
        font("Helvetica"),
        font("Helvetica-Bold"),
    ]
    for index, stream in enumerate(contents):
        objects.append(f"<< /Type /Page /Parent 2 0 R /Contents {6 + 2 * index} 0 R >>".encode())
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    out, offsets = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    xref = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, xref)
    return bytes(out)


def font(name):
    return f"<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>".encode()


def content(texts):
    lines = []
    for x, y, size, bold, text in texts:
        if text:
            literal = text.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
            lines.append(b"BT /F%d %.1f Tf %d %d Td (%s) Tj ET" % (2 if bold else 1, size, x, y, literal))
    return b"\n".join(lines)


# --- the command line ---


def stub_of(recipe):
    """The stub that an entry of cases.json describes."""
    unknown = set(recipe) - {field.name for field in fields(Stub)}
    if unknown:
        raise ValueError(f"a stub has no {', '.join(sorted(unknown))}")
    return Stub(**recipe)


def write_cases(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for case in json.loads((HERE / "cases.json").read_text(encoding="utf-8")):
        (folder / case["file"]).write_bytes(render(stub_of(case["stub"])))


def short_name(text):
    if len(text) > MAX_NAME:
        raise argparse.ArgumentTypeError(f"more than {MAX_NAME} letters: {text}")
    return text


def money(text):
    try:
        return Decimal(text)
    except ArithmeticError:
        raise argparse.ArgumentTypeError(f"not an amount: {text} (write 4250.00)") from None


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the file, or with --cases the folder")
    parser.add_argument("--cases", action="store_true", help="write every file that cases.json names")
    parser.add_argument("--layout", choices=["a", "b", "letter"], default="a")
    parser.add_argument("--pages", type=int, choices=range(1, MAX_PAGES + 1), default=1)
    parser.add_argument("--name", type=short_name, default="", help="of the employee")
    parser.add_argument("--employer", type=short_name, default="")
    parser.add_argument("--monthly", type=money, default=Decimal(0), help="gross income of a month in EUR")
    parser.add_argument("--frequency", choices=list(PERIODS_A_YEAR), default="monthly", help="layout b only")
    parser.add_argument("--net-is-wrong", action="store_true", help="figures that contradict one another")
    parser.add_argument("--damage", choices=["none", "truncated", "text"], default="none")
    parser.add_argument("--seed", type=int, default=1)
    return parser


def main():
    given = vars(options().parse_args())
    out, cases = given.pop("out"), given.pop("cases")
    try:
        if cases:
            write_cases(out)
        else:
            out.write_bytes(render(Stub(**given)))
    except UnicodeEncodeError as error:
        sys.exit(f"generate.py: the fonts have no {error.object[error.start:error.end]!r}; use Western European letters")
    except OSError as error:
        sys.exit(f"generate.py: {error}")


if __name__ == "__main__":
    main()
