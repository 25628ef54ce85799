#!/usr/bin/env python3
"""Holds the tree to the rules of docs/architecture.md.

Prints `file:line: what; why; what to do` for each breach and exits 1 when there is one. Standard library only.
"""
import pathlib
import re
import subprocess
import sys
from typing import NamedTuple

HEADER_LINES = 150
SOURCE_LINES = 600
FUNCTION_LINES = 70
LINE_WIDTH = 110

BANNED_WORDS = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "impl"}
CPP = (".h", ".cc")
AT_THE_ROOT = {".clang-format", ".gitignore", "CMakeLists.txt", "CMakePresets.json", "README.md", "dev"}
TEXT = CPP + (".py", ".sh", ".md", ".yaml", ".yml", ".cmake", ".json", ".txt", ".ts", ".tsx", "")
# Data that is hostile or foreign on purpose: no rule about words or white space applies to it.
DATA = ("tests/corpus/", "tests/data/", "tests/api/", "rules/")
ONE_NAMESPACE = {"base", "domain"}

LEFT_OVERS = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")
MACHINE_PATHS = re.compile(r"(?<![\w.~])/(?:work|root|home/\w+)/")
SQL = re.compile(
    r"\b(SELECT\b.*\bFROM\b|INSERT\s+(OR\s+\w+\s+)?INTO\b|UPDATE\s+\w+\s+SET\b|DELETE\s+FROM\b"
    r"|(CREATE|ALTER|DROP)\s+(TABLE|(UNIQUE\s+)?INDEX|VIEW)\b|PRAGMA\s+\w+|SAVEPOINT\b)", re.S)


class Breach(NamedTuple):
    path: str
    line: int
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}"


class Layout(NamedTuple):
    row_of: dict      # directory -> its row, counted from the top
    libraries: list   # (header prefix, modules that may include it), the longest prefix first


# --- What docs/architecture.md says -----------------------------------------------------------------------------

def table_after(text, heading):
    """The rows of the first Markdown table under `heading`, as lists of cells, without its head."""
    part = re.split(rf"^#+ {re.escape(heading)}\s*$", text, maxsplit=1, flags=re.M)
    if len(part) < 2:
        raise ValueError(f'docs/architecture.md has no heading "{heading}"')
    rows = []
    for line in part[1].splitlines():
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip().strip("|").split("|")])
        elif rows:
            break
    return rows[2:]


def in_backticks(cell):
    return re.findall(r"`([^`]+)`", cell)


def read_layout(text):
    row_of = {}
    for index, cells in enumerate(table_after(text, "Dependency table")):
        for name in in_backticks(cells[0]):
            row_of[name] = index
    libraries = []
    for cells in table_after(text, "Third-party libraries"):
        modules = set(in_backticks(cells[2]))
        if cells[2].startswith("every"):
            modules = set(row_of)
        libraries += [(prefix, modules) for prefix in in_backticks(cells[1])]
    return Layout(row_of, sorted(libraries, key=lambda item: -len(item[0])))


# --- Reading C++ -----------------------------------------------------------------------------------------------

TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(\s]{0,16})\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.S)


def blank(text, strings_too=True):
    """`text` with comments (and string literals) replaced by spaces; lines stay where they are."""
    def replace(match):
        token = match.group(0)
        if not strings_too and not token.startswith(("//", "/*")):
            return token
        return re.sub(r"[^\n]", " ", token)
    return TOKEN.sub(replace, text)


def string_literals(text):
    """(line, contents) of each string literal; adjacent ones are joined, as the compiler does."""
    found, end = [], None
    for match in TOKEN.finditer(text):
        token = match.group(0)
        if not token.startswith(('"', 'R"')):
            continue
        value = token[token.index("(") + 1:token.rindex(")")] if token.startswith("R") else token[1:-1]
        if end is not None and not text[end:match.start()].strip():
            found[-1] = (found[-1][0], found[-1][1] + value)
        else:
            found.append((line_at(text, match.start()), value))
        end = match.end()
    return found


def line_at(text, offset):
    return text.count("\n", 0, offset) + 1


SCOPE = re.compile(r"^(template\s*<.*>\s*)?((inline|static|typedef|export)\s+)*(namespace|class|struct|union|enum|extern)\b", re.S)


def outside_parentheses(head):
    """`head` without what stands in parentheses and without the names of operators."""
    head = re.sub(r"operator\s*(\(\)|\[\]|[^\s\w(]+)", "operator_", head)
    previous = None
    while previous != head:
        previous, head = head, re.sub(r"\([^()]*\)", "", head)
    return head


def is_function(head):
    return "(" in head and not re.search(r"(?<![=!<>])=(?!=)", outside_parentheses(head))


def functions(code):
    """(first line, lines) of each function body in `code`, which has no comments, strings or directives."""
    found, stack, head = [], [], 0
    for match in re.finditer(r"[{};]", code):
        at, sign = match.start(), match.group(0)
        inside = any(kind == "body" for kind, _ in stack)
        if sign == "{":
            text = code[head:at].strip()
            kind = "inner" if inside else "scope" if SCOPE.match(text) else "body" if is_function(text) else "inner"
            stack.append((kind, at))
        elif sign == "}" and stack:
            kind, opened = stack.pop()
            if kind == "body":
                first, last = line_at(code, opened), line_at(code, at)
                found.append((first, last - first + 1))
        head = at + 1
    return found


def without_directives(code):
    return re.sub(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), code, flags=re.M)


# --- Rules over one C++ file ----------------------------------------------------------------------------------

def exempt_from_budget(path, text=""):
    """Tests, fuzz targets and benchmarks, and headers that say in their first line that they are for tests."""
    return (bool(re.search(r"_(test|fuzz|bench)\.(cc|h)$", path)) or not path.startswith("src/")
            or text.startswith("// For tests"))


def module_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "src" and len(parts) > 2 else None


def check_directory(path, layout):
    module = module_of(path)
    if path.startswith("src/") and module not in layout.row_of:
        where = f"src/{module}" if module else "src itself"
        yield Breach(path, 1, f"{where} is not in the dependency table; a directory without a row may include "
                              "anything; give it a row in docs/architecture.md")


def check_budgets(path, text):
    if exempt_from_budget(path, text):
        return
    lines = text.split("\n")
    budget = HEADER_LINES if path.endswith(".h") else SOURCE_LINES
    count = len(lines) - 1
    if count > budget:
        yield Breach(path, budget + 1, f"{count} lines, the budget is {budget}; what is longer is read by nobody; "
                                       "split it by meaning")
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_WIDTH:
            yield Breach(path, number, f"{len(line)} columns, the budget is {LINE_WIDTH}; ./dev fmt breaks code, "
                                       "strings and comments are broken by hand")
    for first, count in functions(without_directives(blank(text))):
        if count > FUNCTION_LINES:
            yield Breach(path, first, f"a function of {count} lines, the budget is {FUNCTION_LINES}; it does more "
                                      "than one thing; give the parts names")


def check_includes(path, text, layout):
    module = module_of(path)
    if module not in layout.row_of:
        return
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', blank(text, False), re.M):
        line = line_at(text, match.start())
        if match.group(1):
            yield from check_own_include(path, line, match.group(1), module, layout)
        else:
            yield from check_library_include(path, line, match.group(2), layout, exempt_from_budget(path, text))


def check_own_include(path, line, header, module, layout):
    target = header.split("/")[0]
    if target == module:
        return
    if target not in layout.row_of:
        yield Breach(path, line, f'"{header}" does not start with a directory of src; a path from src is found from '
                                 "everywhere; write it in full")
    elif layout.row_of[target] == layout.row_of[module]:
        yield Breach(path, line, f"{module} includes {target} of its own row; neighbours meet only in what both stand "
                                 "on; move the shared part down, or the caller up")
    elif layout.row_of[target] < layout.row_of[module]:
        yield Breach(path, line, f"{module} includes {target}, which stands above it; rows include only rows below "
                                 "(docs/architecture.md); turn the dependency round or move the code")


def check_library_include(path, line, header, layout, in_test):
    module = module_of(path)
    for prefix, modules in layout.libraries:
        if not header.startswith(prefix):
            continue
        if module not in modules and not (prefix in TEST_LIBRARIES and in_test):
            owners = ", ".join(sorted(modules)) or "tests"
            yield Breach(path, line, f"<{header}> in {module}; this library belongs to {owners}, so that it can be "
                                     "replaced in one place; call that module, or change docs/architecture.md")
        return
    if "/" in header and not header.startswith(SYSTEM_PREFIXES):
        yield Breach(path, line, f"<{header}> belongs to no library of docs/architecture.md; a library nobody owns is "
                                 "used everywhere; add its row")


TEST_LIBRARIES = ("gtest/", "gmock/", "rapidcheck", "benchmark/")
SYSTEM_PREFIXES = ("sys/", "arpa/", "netinet/", "net/", "linux/", "asm/", "bits/")


def check_names(path, text):
    for part in pathlib.PurePosixPath(path).parts:
        banned = BANNED_WORDS & set(re.split(r"[._-]", part.lower()))
        if banned:
            yield Breach(path, 1, f'"{banned.pop()}" in a file name says nothing about what is in it; name the thing')
    if not path.endswith(CPP):
        return
    code = blank(text)
    declared = r"\b(?:namespace|class|struct|union|enum(?:\s+class)?|using)\s+(?:\[\[\w+\]\]\s*)?(\w+)"
    for match in re.finditer(declared, code):
        name, line = match.group(1), line_at(code, match.start())
        words = {word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+", name)}
        if words & BANNED_WORDS:
            yield Breach(path, line, f"{name} holds a banned word ({', '.join(sorted(BANNED_WORDS))}); such a name "
                                     "says nothing; use the field's term")
    for match in re.finditer(r"\b(?:class|struct)\s+(I[A-Z][a-z]\w*)\s*(?:final\s*)?[{:]", code):
        yield Breach(path, line_at(code, match.start()), f"{match.group(1)}: I* base classes are not used here; "
                                                         "name the interface after what it is")


def check_pragma_once(path, text):
    if path.endswith(".h") and not re.search(r"^#pragma once$", text, re.M):
        yield Breach(path, 1, "a header without #pragma once; it breaks whoever includes it twice; add the line")


def check_namespaces(path, text):
    module = module_of(path)
    if module is None:
        return
    wanted = "imprimatur" if module in ONE_NAMESPACE else f"imprimatur::{module}"
    code, depth, stack = without_directives(blank(text)), 0, []
    for match in re.finditer(r"\bnamespace\s*([\w:]*)\s*\{|[{}]", code):
        if match.group(0).startswith("namespace"):
            name = "::".join([held for _, held in stack] + ([match.group(1)] if match.group(1) else []))
            depth += 1
            if match.group(1):
                stack.append((depth, match.group(1)))
                if name not in (wanted, "imprimatur", "std") and not forward_declaration(code, match.end()):
                    yield Breach(path, line_at(code, match.start()),
                                 f"namespace {name}; in src/{module} it is {wanted} and never deeper")
        elif match.group(0) == "{":
            depth += 1
        else:
            if stack and stack[-1][0] == depth:
                stack.pop()
            depth -= 1


def forward_declaration(code, at):
    """Whether the namespace opened at `at` holds nothing but declarations of somebody else's types."""
    body = code[at:code.find("}", at)]
    return bool(re.fullmatch(r"(\s*(class|struct|enum class)\s+\w+\s*;)+\s*", body))


def check_sql(path, text):
    if module_of(path) in (None, "store") or exempt_from_budget(path, text):
        return
    for line, literal in string_literals(text):
        if SQL.search(literal):
            yield Breach(path, line, "SQL outside src/store; a rule hidden in a statement is tested by nobody; give "
                                     "the store a function and decide with values")


# --- Rules over any text -------------------------------------------------------------------------------------

def check_text(path, text):
    if path.startswith(DATA):
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip() and not path.endswith(".md"):
            yield Breach(path, number, "white space at the end of the line; it makes noise in every diff; remove it")
        if LEFT_OVERS.search(line):
            yield Breach(path, number, "a left-over mark; nobody comes back for it; do it now, or say as a fact what "
                                       "is not there")
        if not exempt_from_machine_paths(path) and MACHINE_PATHS.search(line):
            yield Breach(path, number, "a path of one machine; it exists nowhere else; make it relative to the "
                                       "repository")


def exempt_from_machine_paths(path):
    return path.endswith("_test.cc") or path.startswith(("src/scan/", "tools/tidy"))


# --- Rules over the whole tree -------------------------------------------------------------------------------

def check_environment(files):
    """Every IMPRIMATUR_* variable and every key of the configuration file is in docs/operations.md."""
    page = files.get("docs/operations.md", "")
    for path, text in sorted(files.items()):
        if module_of(path) is None or not path.endswith(CPP) or exempt_from_budget(path, text):
            continue
        for line, literal in string_literals(text):
            if re.fullmatch(r"IMPRIMATUR_[A-Z0-9_]+", literal) and f"`{literal}`" not in page:
                yield Breach(path, line, f"{literal} is not in docs/operations.md; what operators cannot read about "
                                         "they cannot set; add it")
        if path == "src/server/config.cc":
            for match in re.finditer(r'\{\s*"([a-z][a-z0-9_]*)",\s*"', text):
                if f"`{match.group(1)}`" not in page:
                    yield Breach(path, line_at(text, match.start()),
                                 f'configuration key "{match.group(1)}" is not in docs/operations.md; add it')


def check_libraries(files, layout):
    """Every module that a row of the libraries names includes the library."""
    included = set()
    for path, text in files.items():
        if module_of(path) and path.endswith(CPP):
            headers = re.findall(r"^[ \t]*#[ \t]*include[ \t]*<([^>]+)>", text, re.M)
            included |= {(module_of(path), header) for header in headers}
    for prefix, modules in layout.libraries:
        for module in sorted(modules):
            if modules == set(layout.row_of) or any(m == module and h.startswith(prefix) for m, h in included):
                continue
            yield Breach("docs/architecture.md", 1, f"the row of <{prefix}> names {module}, which does not include it; "
                                                    "a right that nobody uses is taken by accident; remove it")


def events_of(text):
    return set(re.findall(r"^  - action: ([a-z_]+\.[a-z_]+)$", text, re.M))


def check_events(files):
    """Every event a source file names is in api/events.yaml."""
    events = events_of(files.get("api/events.yaml", ""))
    subjects = {event.split(".")[0] for event in events}
    for path, text in sorted(files.items()):
        if module_of(path) is None or not path.endswith(".cc") or exempt_from_budget(path):
            continue
        for line, literal in string_literals(text):
            if not re.fullmatch(r"[a-z_]+\.[a-z_]+", literal) or literal in events:
                continue
            if literal.split(".")[0] in subjects and not literal.endswith(FILE_ENDINGS):
                yield Breach(path, line, f'event "{literal}" is not in api/events.yaml; readers of the journal know '
                                         "only what stands there; describe it")


FILE_ENDINGS = (".yaml", ".json", ".jsonl", ".txt", ".md", ".cc", ".h", ".db", ".prompt", ".pem", ".key", ".sqlite")


def check_file(path, text, layout):
    if path.endswith(CPP):
        yield from check_directory(path, layout)
        yield from check_budgets(path, text)
        yield from check_includes(path, text, layout)
        yield from check_namespaces(path, text)
        yield from check_sql(path, text)
        yield from check_pragma_once(path, text)
    yield from check_names(path, text)
    yield from check_text(path, text)


def check_tree(files):
    """`files` maps each path of the repository to its text. Every breach, in the order of the paths."""
    layout = read_layout(files["docs/architecture.md"])
    breaches = []
    for path, text in sorted(files.items()):
        breaches += check_file(path, text, layout)
    breaches += check_libraries(files, layout)
    breaches += check_environment(files)
    breaches += check_events(files)
    return breaches


def check_root(names):
    """What a program wrote where it was started must not become part of the tree."""
    return [f"{name}: is none of the files that stand at the root" for name in sorted(names)
            if "/" not in name and name not in AT_THE_ROOT]


def tracked_names(root):
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root,
                            check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if name and (root / name).exists()]


def tracked_files(root):
    files = {}
    for name in tracked_names(root):
        path = root / name
        if path.suffix not in TEXT or path.is_symlink() or not path.is_file():
            continue
        try:
            files[name] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            if not name.startswith(DATA):
                raise
    return files


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    breaches = check_root(tracked_names(root)) + check_tree(tracked_files(root))
    for breach in breaches:
        print(breach)
    if breaches:
        print(f"{len(breaches)} breaches of the rules of docs/architecture.md")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
