#!/usr/bin/env python3
"""Compares the monthly incomes that documents state with the one that a person declared.

stdin:  {"incomes": [number], "declared": number}
stdout: {"income": number, "ratio": number, "confidence": number}

`income` is the mean of the stated ones, `ratio` is income / declared. `confidence` is 1 when all
of them agree, less the further they are apart, and 0 when there is none.
"""

import json
import sys


def check(incomes, declared):
    if declared <= 0:
        raise ValueError(f"declared must be more than 0, it is {declared}")
    if not incomes or sum(incomes) <= 0:
        return {"income": 0, "ratio": 0, "confidence": 0}
    mean = sum(incomes) / len(incomes)
    spread = (max(incomes) - min(incomes)) / mean
    return {
        "income": round(mean, 2),
        "ratio": round(mean / declared, 4),
        "confidence": round(max(0, 1 - spread), 4),
    }


def main():
    try:
        request = json.load(sys.stdin)
        answer = check(request["incomes"], request["declared"])
    except (ValueError, KeyError, TypeError) as error:
        sys.exit(f"income: bad input: {error!r}")
    print(f"income: {len(request['incomes'])} stated, ratio {answer['ratio']}", file=sys.stderr)
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
