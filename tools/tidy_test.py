"""Each rule of tools/tidy.py, broken once, and the nearest thing that is allowed."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import tidy  # noqa: E402

PAGE = """
## Dependency table
| directories | what |
|---|---|
| `server` | wiring |
| `http` `cli` | wire |
| `store` | sql |
| `domain` | decisions |
| `base` | ground |

## Third-party libraries
| library | headers | modules |
|---|---|---|
| Json | `boost/json` | every module |
| Beast | `boost/beast` | `http` `server` |
| Soci | `soci/` | `store` |
| GoogleTest | `gtest/` | tests only |
"""
HEADER = "#pragma once\n"


def breaches(path, text, **others):
    files = {"docs/architecture.md": PAGE, "src/http/uses.cc": "#include <boost/beast/core.hpp>\n",
             "src/server/uses.cc": "#include <boost/beast/core.hpp>\n", "src/store/uses.cc": "#include <soci/soci.h>\n",
             path: text}
    files.update({name.replace("__", "/").replace("_dot_", "."): value for name, value in others.items()})
    return [str(found) for found in tidy.check_tree(files)]


class TidyTest(unittest.TestCase):
    def breaks(self, path, text, what, line=None, **others):
        found = breaches(path, text, **others)
        self.assertEqual(len(found), 1, found)
        self.assertIn(what, found[0])
        self.assertTrue(found[0].startswith(f"{path}:{line or ''}"), found[0])

    def keeps(self, path, text, **others):
        self.assertEqual(breaches(path, text, **others), [])


class Includes(TidyTest):
    def test_downwards_only(self):
        self.keeps("src/store/a.cc", '#include "base/json.h"\n#include "domain/a.h"\n#include "store/a.h"\n')
        self.breaks("src/store/a.cc", '\n#include "http/a.h"\n', "above it", 2)

    def test_never_the_own_row(self):
        self.breaks("src/cli/a.cc", '#include "http/a.h"\n', "own row", 1)

    def test_paths_start_at_src(self):
        self.breaks("src/store/a.cc", '#include "rows.h"\n', "does not start with a directory", 1)
        self.breaks("src/store/a.cc", '#include "../base/rows.h"\n', "does not start with a directory", 1)

    def test_a_comment_is_no_include(self):
        self.keeps("src/store/a.cc", '// #include "http/a.h"\n/*\n#include "http/a.h"\n*/\n')

    def test_tests_are_held_to_the_table_too(self):
        self.breaks("src/store/a_test.cc", '#include "http/a.h"\n', "above it", 1)

    def test_every_directory_has_a_row(self):
        self.breaks("src/extra/a.cc", "int x;\n", "not in the dependency table", 1)
        self.breaks("src/a.cc", "int x;\n", "not in the dependency table", 1)


class Libraries(TidyTest):
    def test_a_row_names_only_modules_that_include_the_library(self):
        self.breaks("docs/architecture.md", PAGE.replace("`http` `server` |", "`http` `server` `cli` |"),
                    "names cli, which does not include it", 1)

    def test_a_library_belongs_to_its_modules(self):
        self.keeps("src/store/a.cc", "#include <soci/soci.h>\n#include <vector>\n#include <sys/stat.h>\n")
        self.keeps("src/domain/a.cc", "#include <boost/json/fwd.hpp>\n")
        self.breaks("src/domain/a.cc", "#include <soci/soci.h>\n", "belongs to store", 1)
        self.breaks("src/cli/a.cc", "#include <boost/beast/http.hpp>\n", "belongs to http, server", 1)

    def test_an_unknown_library(self):
        self.breaks("src/domain/a.cc", "#include <boost/graph/a.hpp>\n", "belongs to no library", 1)

    def test_test_libraries_stay_in_tests(self):
        self.keeps("src/domain/a_test.cc", "#include <gtest/gtest.h>\n")
        self.breaks("src/domain/a.cc", "#include <gtest/gtest.h>\n", "belongs to tests", 1)


class Budgets(TidyTest):
    def test_header(self):
        self.keeps("src/base/a.h", HEADER + "int x();\n" * 149)
        self.breaks("src/base/a.h", HEADER + "int x();\n" * 150, "budget is 150", 151)

    def test_source(self):
        self.keeps("src/base/a.cc", "int x();\n" * 600)
        self.breaks("src/base/a.cc", "int x();\n" * 601, "budget is 600", 601)
        self.keeps("src/base/a_test.cc", "int x();\n" * 601)
        self.keeps("src/base/a_fuzz.cc", "int x();\n" * 601)
        self.keeps("src/base/a_bench.cc", "int x();\n" * 601)

    def test_line(self):
        self.keeps("src/base/a.cc", "x" * 110 + "\n" + "é" * 110 + "\n")
        self.breaks("src/base/a.cc", "x" * 111 + "\n", "budget is 110", 1)

    def test_function(self):
        self.keeps("src/base/a.cc", "int f() {\n" + "  g();\n" * 68 + "}\n")
        self.breaks("src/base/a.cc", "int a;\nint f() {\n" + "  g();\n" * 69 + "}\n", "a function of 71 lines", 2)

    def test_function_in_a_class(self):
        text = "namespace imprimatur {\nclass A {\n  int f() const noexcept {\n" + "    g();\n" * 70 + "  }\n};\n}\n"
        self.breaks("src/base/a.cc", text, "a function of 72 lines", 3)

    def test_constructor_with_members_in_braces(self):
        text = "A::A(int x) : a_{x}, b_(x) {\n" + "  g();\n" * 70 + "}\n"
        self.breaks("src/base/a.cc", text, "a function of 72 lines", 1)

    def test_a_lambda_counts_with_its_function(self):
        text = "int f() {\n  run([] {\n" + "    g();\n" * 69 + "  });\n}\n"
        self.breaks("src/base/a.cc", text, "a function of 73 lines", 1)

    def test_a_table_is_no_function(self):
        self.keeps("src/base/a.cc", "constexpr Row kRows[] = {\n" + "  {1, f(2)},\n" * 90 + "};\n")

    def test_operators_are_functions(self):
        text = "bool A::operator==(const A& o) const {\n" + "  g();\n" * 70 + "}\n"
        self.breaks("src/base/a.cc", text, "a function of 72 lines", 1)

    def test_braces_in_strings_and_comments_do_not_count(self):
        self.keeps("src/base/a.cc", 'int f() {\n  g("{", \'{\'); // {\n}\n' + "int x;\n" * 80 + "int h() {\n}\n")

    def test_braces_in_raw_strings_do_not_count(self):
        self.keeps("src/base/a.cc", 'int f() {\n  g(R"({"a": {)");\n}\n' + "int x;\n" * 80)


    def test_a_header_for_tests_says_so(self):
        self.keeps("src/base/a.h", "// For tests: an a.\n#pragma once\n#include <gtest/gtest.h>\n" + "int x();\n" * 200)


class Names(TidyTest):
    def test_files(self):
        self.breaks("src/base/string_util.cc", "", "file name", 1)
        self.breaks("tools/common.py", "", "file name", 1)

    def test_types(self):
        self.keeps("src/base/a.cc", "struct Implication {};\nint commonly;\n")
        self.breaks("src/base/a.cc", "\nclass VersionManager {};\n", "banned word", 2)
        self.breaks("src/base/a.cc", "struct Impl {};\n", "banned word", 1)
        self.breaks("src/base/a.cc", "using ParseHelper = int;\n", "banned word", 1)

    def test_interfaces(self):
        self.keeps("src/base/a.cc", "class Identity {};\nclass IoThread {};\n")
        self.breaks("src/base/a.cc", "class IStore {};\n", "I* base classes", 1)
        self.breaks("src/base/a.cc", "class IStore final : A {};\n", "I* base classes", 1)


class Namespaces(TidyTest):
    def test_base_and_domain_share_one(self):
        self.keeps("src/base/a.cc", "namespace imprimatur {\nnamespace {\nint x;\n}\n}\n")
        self.breaks("src/base/a.cc", "namespace imprimatur::base {\n}\n", "it is imprimatur", 1)

    def test_others_have_their_own(self):
        self.keeps("src/store/a.cc", "namespace imprimatur::store {\n}\n")
        self.breaks("src/store/a.cc", "namespace imprimatur::http {\nint f();\n}\n", "imprimatur::store", 1)
        self.breaks("src/store/a.cc", "namespace imprimatur::store {\nnamespace rows {\n}\n}\n", "never deeper", 2)

    def test_declaring_somebody_elses_types_is_allowed(self):
        self.keeps("src/store/a.h", HEADER + "namespace soci {\nclass session;\n}\nnamespace imprimatur::store {\n}\n")


class Sql(TidyTest):
    def test_only_in_store(self):
        self.keeps("src/store/a.cc", 'auto a = "SELECT x FROM y";\n')
        self.breaks("src/http/a.cc", '\nauto a = "SELECT x "\n  "FROM y";\n', "SQL outside", 2)
        self.breaks("src/http/a.cc", 'auto a = R"(UPDATE x SET y = 1)";\n', "SQL outside", 1)

    def test_prose_is_not_sql(self):
        self.keeps("src/http/a.cc", 'auto a = "select a version from the list";\n')


class Text(TidyTest):
    def test_pragma_once(self):
        self.breaks("src/base/a.h", "int x;\n", "#pragma once", 1)

    def test_left_overs(self):
        self.breaks("src/base/a.cc", "// TO" + "DO later\n", "left-over", 1)
        self.breaks("docs/a.md", "\nFIX" + "ME\n", "left-over", 2)

    def test_machine_paths(self):
        self.keeps("docs/a.md", "build/home/x and https://example.org/home/x and /var/lib/imprimatur\n")
        self.breaks("docs/a.md", "see /wor" + "k/main\n", "path of one machine", 1)
        self.breaks("dev", "cd /hom" + "e/ann/x\n", "path of one machine", 1)

    def test_white_space(self):
        self.breaks("src/base/a.cc", "int x; \n", "white space", 1)

    def test_data_is_left_alone(self):
        self.keeps("tests/corpus/json_fuzz/a.json", "TO" + "DO /roo" + "t/x \n")


class Pages(TidyTest):
    def test_environment_variables_are_documented(self):
        text = 'auto a = getenv("IMPRIMATUR_NEW");\n'
        self.keeps("src/server/a.cc", text, docs__operations_dot_md="| `IMPRIMATUR_NEW` | |\n")
        self.breaks("src/server/a.cc", text, "operations.md", 1, docs__operations_dot_md="none\n")

    def test_configuration_keys_are_documented(self):
        text = '{"request_timeout", "how long", set},\n'
        self.keeps("src/server/config.cc", text, docs__operations_dot_md="| `request_timeout` | |\n")
        self.breaks("src/server/config.cc", text, "request_timeout", 1, docs__operations_dot_md="none\n")

    def test_events_are_documented(self):
        events = "events:\n  - action: version.saved\n    details: {}\n"
        self.keeps("src/store/a.cc", 'emit("version.saved");\nopen("version.json");\n', api__events_dot_yaml=events)
        self.breaks("src/store/a.cc", 'emit("version.burnt");\n', "version.burnt", 1, api__events_dot_yaml=events)


class ThisTree(TidyTest):
    def test_its_own_table_can_be_read(self):
        page = Path(__file__).resolve().parent.parent / "docs/architecture.md"
        layout = tidy.read_layout(page.read_text(encoding="utf-8"))
        self.assertLess(layout.row_of["http"], layout.row_of["store"])
        self.assertEqual(layout.row_of["registry"], layout.row_of["delivery"])

    def test_the_root_holds_what_belongs_there(self):
        self.assertEqual(tidy.check_root(["README.md", "dev", "src/base/clock.h", "docs/routes.txt"]), [])
        self.assertEqual(len(tidy.check_root(["README.md", "routes.txt", "events.jsonl"])), 2)

    def test_a_page_without_its_table_is_an_error(self):
        with self.assertRaises(ValueError):
            tidy.read_layout("# Architecture\n")


if __name__ == "__main__":
    unittest.main()
