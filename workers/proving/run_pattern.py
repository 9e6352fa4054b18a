"""Tells whether a pattern fits an answer, in the sandbox: some patterns take years to say no. Exit code 0 or 1."""

import json
import re
import sys

_given = json.load(sys.stdin)
sys.exit(re.fullmatch(_given["pattern"], _given["answer"]) is None)
