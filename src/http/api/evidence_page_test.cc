#include "http/api/evidence_page.h"

#include "base/hash.h"
#include "base/json.h"
#include "http/api/csv.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace imprimatur::http {
namespace {

TEST(HtmlText, IsNeverMarkup) {
  EXPECT_EQ(html_text("<script>alert('a' & \"b\")</script>"),
            "&lt;script&gt;alert(&#39;a&#39; &amp; &quot;b&quot;)&lt;/script&gt;");
  EXPECT_EQ(html_text("two\nlines\tand \x1b[31mred\x7f\r"), "two\nlines\tand \uFFFD[31mred\uFFFD\uFFFD");
  EXPECT_EQ(html_text("invoice\u202Egpj.exe\u2066\u200F"), "invoice\uFFFDgpj.exe\uFFFD\uFFFD");
  EXPECT_EQ(html_text(""), "");
  EXPECT_EQ(html_text("gr\u00fc\u00dfe \U0001f600"), "gr\u00fc\u00dfe \U0001f600");
}

// Every value of a statement that somebody else wrote is hostile here.
TEST(EvidencePage, HostileValuesStandAsText) {
  const std::string evil = R"(</pre></td><img src=x onerror=\"alert(1)\"><script>x</script>)";
  const std::string words = R"({"commitment":"sha256:0","salt":"0","text":")" + evil + R"("})";
  const std::string who = R"({"id":"usr_1"})";
  evidence::ReleaseEvidence evidence;
  evidence.names[{"usr_1"}] = R"x(</pre></td><img src=x onerror="alert(1)"><script>x</script>)x";
  const std::string statement =
      R"({"predicate":{"project":{"id":"prj_1","name":")" + evil + R"("},"environment":{"name":")" + evil +
      R"("},"release":{"id":"rel_1","kind":"deploy","at":"now","by":)" + who + R"(,"reason":)" + words +
      R"(,"replaced":null,"restores":[],"protectionMet":false},"version":{"name":")" + evil +
      R"(","semver":"1.0.0","number":1,"author":)" + who + R"(,"accountable":null,"message":)" + words +
      R"(,"content":{"content":")" + evil + R"(","messages":[{"role":"user","content":")" + evil +
      R"("}],"config":{")" + evil + R"(":")" + evil +
      R"("}}},"gate":{"answer":{"met":false,"requirements":[{"kind":")" + evil +
      R"(","met":false,"detail":")" + evil + R"(","verdicts":[{"by":")" + evil +
      R"(","counts":false,"why":")" + evil + R"("}]}]}},"review":{"id":"rev_1","submittedBy":)" + who +
      R"(,"comment":)" + words + R"(,"verdicts":[{"by":)" + who + R"(,"verdict":"approve","comment":)" +
      words + R"(}]},"contributors":{"after":0,"people":[{"by":)" + who +
      R"(,"versions":[1]}]},"scans":[],)" + R"("journal":{"checkpoint":")" + evil + R"(","entries":[]}}})";
  evidence.statement = parse_json(statement).value().get_object();
  const std::string page = evidence_page(evidence);
  for (const char* markup : {"<img", "<script", "</pre></td>", "onerror=\""}) {
    EXPECT_EQ(page.find(markup), std::string::npos) << markup;
  }
  EXPECT_NE(page.find("&lt;img src=x onerror="), std::string::npos);
  EXPECT_NE(page.find("break-glass"), std::string::npos) << "a protection that was not met is said";
  EXPECT_TRUE(page.ends_with("</html>\n"));
}

// What a statement lacks is shown as none, and a page is still a page.
TEST(EvidencePage, AnEmptyStatementIsShown) {
  evidence::ReleaseEvidence evidence;
  EXPECT_NE(evidence_page(evidence).find("<title>"), std::string::npos);
}

// What was signed is shown, however long and deep it is: no limit of what people send applies.
TEST(EvidencePage, ALongAndDeepStatementIsShown) {
  evidence::ReleaseEvidence evidence;
  boost::json::value deep = "the innermost";
  for (int i = 0; i < 200; ++i) deep = boost::json::array{std::move(deep)};
  boost::json::array many;
  for (int i = 0; i < 250'000; ++i) many.emplace_back(i);
  const boost::json::object content = {{"config", std::move(deep)}, {"tools", std::move(many)}};
  evidence.statement["predicate"] =
      boost::json::object{{"version", boost::json::object{{"content", content}}}};
  const std::string page = evidence_page(evidence);
  EXPECT_NE(page.find("the innermost"), std::string::npos);
  EXPECT_NE(page.find("249999"), std::string::npos);
}

TEST(EvidencePage, ItsPolicyAllowsItsOwnStyleAndNothingElse) {
  evidence::ReleaseEvidence evidence;
  const std::string page = evidence_page(evidence);
  const std::size_t begin = page.find("<style>") + 7, end = page.find("</style>");
  const std::string hash = to_base64(bytes_of(sha256(page.substr(begin, end - begin))));
  EXPECT_NE(evidence_page_policy().find("style-src 'sha256-" + hash + "'"), std::string::npos);
  EXPECT_NE(evidence_page_policy().find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(page.find(" style="), std::string::npos) << "an inline style would be refused";
}

TEST(CsvField, RunsNoFormulaAndKeepsItsPlace) {
  EXPECT_EQ(csv_field(""), "\"\"");
  EXPECT_EQ(csv_field("a \"b\", c\n"), "\"a \"\"b\"\", c\n\"");
  for (const char* formula :
       {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "  \u00A0 @x", "\u3000+1", "\uFEFF=1",
        "\v-1", "\uFF1D1+1", "\uFF0B1", "\uFF0D1", "\uFF20SUM(A1)", " \uFF1D1"}) {
    EXPECT_EQ(csv_field(formula), "\"'" + std::string(formula) + "\"");
  }
  for (const char* plain : {"1-1=0", " 1-1=0", "\u00A0", "  ", "\u00FC=1"}) {
    EXPECT_EQ(csv_field(plain), "\"" + std::string(plain) + "\"");
  }
}

}  // namespace
}  // namespace imprimatur::http
