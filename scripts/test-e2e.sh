#!/bin/sh
# Runs the end-to-end tests of the release binary and ends with one line that scripts/test.py counts.
# Arguments go to unittest: `scripts/test-e2e.sh -k killed` runs those whose name holds the word.
cd "$(dirname "$0")/.." || exit
exec python3 -B tests/e2e/run.py "$@"
