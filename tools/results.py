#!/usr/bin/env python3
"""Counts test results.

results.py unittest DIR OUT   runs DIR/*_test.py and writes one line a test to OUT
results.py sum DIR            adds up what ./dev test left in DIR; the last line is "N passed, N failed, N skipped"
"""
import pathlib
import sys
import unittest
import xml.etree.ElementTree as xml

PASS, FAIL, SKIP = "pass", "fail", "skip"


class Recorder(unittest.TextTestResult):
    """Remembers how each test ended."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.rows = []

    def addSuccess(self, test):
        super().addSuccess(test)
        self.rows.append((PASS, test.id()))

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.rows.append((FAIL, test.id()))

    def addError(self, test, err):
        super().addError(test, err)
        self.rows.append((FAIL, test.id()))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.rows.append((FAIL, subtest.id()))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.rows.append((SKIP, f"{test.id()}: {reason}"))


def run_unittests(directory, out):
    suite = unittest.defaultTestLoader.discover(directory, pattern="*_test.py")
    result = unittest.TextTestRunner(resultclass=Recorder, stream=sys.stdout, verbosity=2).run(suite)
    write_rows(out, result.rows)
    return 0 if result.wasSuccessful() else 1


def write_rows(path, rows):
    text = "".join(f"{status}\t{name}\n" for status, name in rows)
    pathlib.Path(path).write_text(text, encoding="utf-8")


def read_rows(path):
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [tuple(line.split("\t", 1)) for line in lines]


def gtest_rows(path):
    """One row a test case of a GoogleTest XML file; cases a filter left out are no result."""
    rows = []
    for case in xml.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        if case.get("status") == "notrun":
            if name.split(".", 1)[1].startswith("DISABLED_"):
                rows.append((SKIP, f"{name}: disabled"))
        elif case.find("failure") is not None:
            rows.append((FAIL, name))
        elif case.find("skipped") is not None or case.get("result") == "skipped":
            skipped = case.find("skipped")
            reason = (skipped.get("message") or "").strip().splitlines() if skipped is not None else []
            rows.append((SKIP, f"{name}: {reason[-1]}" if reason else name))
        else:
            rows.append((PASS, name))
    return rows


def ctest_rows(directory):
    """Programs that are no GoogleTest count once; one that died without a failed case counts as a failure."""
    junit = directory / "ctest.xml"
    if not junit.exists():
        return []
    rows = []
    for case in xml.parse(junit).getroot().iter("testcase"):
        name, failed = case.get("name"), case.get("status") != "run"
        cases = directory / "gtest" / f"{name}_tests.xml"
        found = gtest_rows(cases) if cases.exists() else []
        rows += found
        if case.get("status") in ("notrun", "disabled") and case.find("failure") is None:
            rows.append((SKIP, f"{name}: {case.get('status')}"))
        elif failed and not any(status == FAIL for status, _ in found):
            rows.append((FAIL, f"{name} (crashed, timed out or not built)"))
        elif not cases.exists():
            rows.append((PASS, name))
    return rows


def all_rows(directory):
    return ctest_rows(directory) + read_rows(directory / "unittest.tsv") + read_rows(directory / "checks.tsv")


def print_sum(directory):
    rows = all_rows(pathlib.Path(directory))
    for status, name in rows:
        if status == SKIP:
            print(f"skipped  {name}")
    for status, name in rows:
        if status == FAIL:
            print(f"FAILED   {name}")
    counts = {status: sum(1 for row in rows if row[0] == status) for status in (PASS, FAIL, SKIP)}
    print(f"{counts[PASS]} passed, {counts[FAIL]} failed, {counts[SKIP]} skipped")
    return 1 if counts[FAIL] or not rows else 0


def main(arguments):
    if len(arguments) == 3 and arguments[0] == "unittest":
        return run_unittests(arguments[1], arguments[2])
    if len(arguments) == 2 and arguments[0] == "sum":
        return print_sum(arguments[1])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
