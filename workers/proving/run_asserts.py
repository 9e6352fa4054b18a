"""Runs an answer's code and then asserts on it; started in the sandbox, alone, with the standard library only.

Nothing but all asserts having run leads to the word that stands for success: an answer that ends the process does
not, and it has not read the word.
"""

import json
import os
import sys
import types


def main() -> None:
    """Read code, asserts and the word of success from standard input; print the word if nothing was raised."""
    order = json.load(sys.stdin)
    output = os.dup(1)
    module = types.ModuleType("answer")  # not __main__: what a script does when it is run is no part of an answer
    sys.modules["answer"] = module
    for name in ("answer", "asserts"):
        exec(compile(order[name], f"{name}.py", "exec"), module.__dict__)
    os.write(output, order["success"].encode())


main()
