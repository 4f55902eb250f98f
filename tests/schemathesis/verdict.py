"""Counts the operations that were answered with a success, and fails where that is fewer than nine in ten.

    verdict.py ROLE DOCUMENT ANSWERS

For a member only what is not of administrators counts: the addresses below /admin/, which refuse everybody else, have to
refuse the member. Purging is for administrators too, but stands among addresses for all, so it counts and is missed.
"""

import json
import sys

ENOUGH = 0.9


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def main(role, document, answers):
    paths, answers = read(document)["paths"], read(answers)
    operations = {f"{method.upper()} {path}" for path, item in paths.items() for method in item}
    reached = {operation for operation, seen in answers.items() if any(status.startswith("2") for status in seen)}
    faults = []
    if role != "admin":
        of_admins = {operation for operation in operations if " /admin/" in operation}
        faults += [f"a {role} may: {operation}" for operation in sorted(of_admins & reached)]
        operations -= of_admins
    missed = sorted(operations - reached)
    count, requests = len(operations) - len(missed), sum(sum(seen.values()) for seen in answers.values())
    print(f"as {role}: {count} of {len(operations)} operations reached a 2xx, in {requests} requests")
    for operation in missed:
        print(f"  not {operation}: {answers.get(operation, 'never asked')}")
    if count < ENOUGH * len(operations):
        faults.append(f"fewer than {ENOUGH:.0%} of the operations reached a 2xx")
    for fault in faults:
        print(f"  FAULT {fault}")
    return 1 if faults else 0


sys.exit(main(*sys.argv[1:]))
