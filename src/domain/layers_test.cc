#include "domain/layers.h"

#include "domain/template.h"

#include <map>
#include <random>
#include <set>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace imprimatur {
namespace {

// A project's prompts and policies, in memory. Everything that is saved was checked and resolved.
class Library {
 public:
  // What it is refused with; nothing when it was saved.
  std::string save(Content content) {
    auto saved = resolved(std::move(content));
    if (!saved.ok()) return saved.error().detail;
    auto& versions = held_[saved->content.name];
    versions.push_back(saved->content);
    return {};
  }
  Result<Resolved> resolved(Content content) {
    auto checked = checked_content(std::move(content));
    if (!checked.ok()) return std::move(checked).error();
    return resolve(*std::move(checked), source());
  }
  // What `content` says in place, or why it cannot be put together.
  std::string effect(Content content) {
    const auto found = resolved(std::move(content));
    return found.ok() ? found->effective.text : found.error().detail;
  }
  LayerSource source() {
    LayerSource out;
    out.candidates = [this](const std::string& name) -> Result<std::optional<std::vector<LayerCandidate>>> {
      const auto held = held_.find(name);
      if (held == held_.end()) return std::optional<std::vector<LayerCandidate>>();
      std::vector<LayerCandidate> all;
      for (std::size_t i = 0; i < held->second.size(); ++i) {
        if (!retired_.contains({name, i + 1})) all.push_back({std::int64_t(i) + 1, held->second[i].semver});
      }
      return std::optional(all);
    };
    out.load = loader();
    return out;
  }
  LoadVersion loader() {
    return [this](const std::string& name, std::int64_t number) -> Result<std::string> {
      return canonical_content(held_.at(name).at(std::size_t(number) - 1));
    };
  }
  const Content& version(const std::string& name, std::size_t number) {
    return held_.at(name).at(number - 1);
  }
  void retire(const std::string& name, std::size_t number) { retired_.insert({name, number}); }
  void alter(const std::string& name, std::size_t number, const std::string& text) {
    held_.at(name).at(number - 1).text = text;
  }

 private:
  std::map<std::string, std::vector<Content>> held_;
  std::set<std::pair<std::string, std::size_t>> retired_;
};

Content prompt(const std::string& name, const std::string& semver, const std::string& text,
               std::vector<LayerRef> layers = {}) {
  Content content;
  content.name = name;
  content.semver = semver;
  content.text = text;
  content.layers = std::move(layers);
  return content;
}

Content policy(const std::string& name, const std::string& semver, const std::string& rules) {
  Content content = prompt(name, semver, "");
  content.kind = ArtifactKind::policy;
  content.config = rules;
  content.output_schema = R"({"type":"object"})";
  return content;
}

struct Layers : testing::Test {
  void saves(const Content& content) { EXPECT_EQ(library.save(content), ""); }
  Library library;
};

TEST_F(Layers, TextIsPutWhereItsMarkStands) {
  saves(prompt("tone", "1.0.0", "Be kind."));
  EXPECT_EQ(library.effect(
                prompt("reply", "1.0.0", "{{> tone}} Answer {{question}}. {{>tone }}", {{"tone", "^1"}})),
            "Be kind. Answer {{question}}. Be kind.");
  Content chat = prompt("chat", "1.0.0", "");
  chat.type = ContentType::chat;
  chat.messages = {{MessageRole::system, "You help. {{> tone}}"}, {MessageRole::placeholder, "history"}};
  chat.layers = {{"tone", "*"}};
  const auto found = library.resolved(chat);
  ASSERT_TRUE(found.ok()) << found.error().detail;
  EXPECT_EQ(found->effective.messages[0].content, "You help. Be kind.");
  EXPECT_EQ(found->effective.messages[1].content, "history");
  EXPECT_EQ(found->content.messages[0].content, "You help. {{> tone}}");
}

TEST_F(Layers, TheLockHoldsAllThatIsReachedAndTheDigestTheLock) {
  saves(prompt("voice", "1.0.0", "Speak plainly."));
  saves(prompt("tone", "1.0.0", "Be kind. {{> voice}}", {{"voice", "^1"}}));
  saves(policy("refunds", "1.0.0", R"({"days":30})"));
  const auto found =
      library.resolved(prompt("reply", "1.0.0", "{{> tone}} Answer.", {{"tone", "^1"}, {"refunds", "1.x"}}));
  ASSERT_TRUE(found.ok()) << found.error().detail;
  const std::vector<LockEntry> lock = {{"tone", 1, digest_of(library.version("tone", 1))},
                                       {"refunds", 1, digest_of(library.version("refunds", 1))},
                                       {"voice", 1, digest_of(library.version("voice", 1))}};
  EXPECT_EQ(found->content.lock, lock);
  EXPECT_EQ(found->effective.text, "Be kind. Speak plainly. Answer.");
  EXPECT_EQ(found->effective.config, R"({"days":30})");
  Content other = found->content;
  other.lock[2].digest.back() = other.lock[2].digest.back() == '0' ? '1' : '0';
  EXPECT_NE(digest_of(other), digest_of(found->content));
}

// Invariant 10: whatever is saved, retired or added later, the lock gives the same.
TEST_F(Layers, ALockGivesTheSameForEver) {
  saves(prompt("tone", "1.0.0", "Be kind."));
  saves(prompt("reply", "1.0.0", "{{> tone}} Answer.", {{"tone", "^1"}}));
  const Content before = library.version("reply", 1);
  saves(prompt("tone", "1.1.0", "Be curt."));
  library.retire("tone", 1);
  EXPECT_EQ(effective_content(before, library.loader())->text, "Be kind. Answer.");
  EXPECT_EQ(library.effect(prompt("reply", "1.1.0", "{{> tone}} Answer.", {{"tone", "^1"}})),
            "Be curt. Answer.");
  // What stands there now is not what the lock names.
  library.alter("tone", 1, "Be rude.");
  const auto altered = effective_content(before, library.loader());
  ASSERT_FALSE(altered.ok());
  EXPECT_EQ(altered.error().detail,
            "reply > tone: the stored content of version 1 does not have the digest that the lock names");
}

TEST_F(Layers, ARangeMeansTheHighestThatWasNotRetired) {
  for (const char* semver : {"1.0.0", "1.1.0", "1.2.0-beta.1", "2.0.0"})
    saves(prompt("tone", semver, std::string("tone ") + semver));
  const auto with = [&](const std::string& range) {
    return library.effect(prompt("reply", "1.0.0", "{{> tone}}", {{"tone", range}}));
  };
  EXPECT_EQ(with("^1"), "tone 1.1.0");
  EXPECT_EQ(with("*"), "tone 2.0.0");
  EXPECT_EQ(with("1.2.0-beta.1"), "tone 1.2.0-beta.1");
  library.retire("tone", 2);
  EXPECT_EQ(with("^1"), "tone 1.0.0");
  EXPECT_EQ(with("^3"), "reply > tone: no version of it fits ^3; the newest is 2.0.0");
  for (std::size_t number = 1; number <= 4; ++number) library.retire("tone", number);
  EXPECT_EQ(with("^1"), "reply > tone: no version of it fits ^1; none is there that was not retired");
}

TEST_F(Layers, WhatCannotBePlacedIsRefusedWithItsPath) {
  saves(prompt("tone", "1.0.0", "Be kind."));
  saves(policy("refunds", "1.0.0", R"({"days":30})"));
  Content chat = prompt("chat", "1.0.0", "");
  chat.type = ContentType::chat;
  chat.messages = {{MessageRole::system, "Hi"}};
  saves(chat);
  EXPECT_EQ(library.effect(prompt("reply", "1.0.0", "{{> none}}", {{"none", "^1"}})),
            "reply > none: there is no prompt or policy of that name here");
  EXPECT_EQ(library.effect(prompt("reply", "1.0.0", "Hello", {{"tone", "^1"}})),
            "reply > tone@1.0.0: it is listed and stands nowhere; write {{> tone}} where it belongs, or take "
            "it out "
            "of `layers`");
  EXPECT_EQ(
      library.effect(prompt("reply", "1.0.0", "Hi\n\u00e4 {{> tine}} {{> tone}}", {{"tone", "^1"}})),
      "reply > tine: content, line 2, column 3: it is not among `layers`; list it with a range, or write "
      "\\{{> for plain braces");
  EXPECT_EQ(library.effect(prompt("reply", "1.0.0", "{{> refunds}}", {{"refunds", "^1"}})),
            "reply > refunds@1.0.0: content, line 1, column 1: a policy has no place in a text; it is enough "
            "to list "
            "it");
  EXPECT_EQ(
      library.effect(prompt("reply", "1.0.0", "{{> chat}}", {{"chat", "^1"}})),
      "reply > chat@1.0.0: content, line 1, column 1: a chat cannot stand in a text; only a text prompt can");
}

// Without `layers` the marks are what Handlebars prompts hold, but for those that mean something here.
TEST_F(Layers, MarksOfWhatIsNotListed) {
  EXPECT_EQ(library.effect(prompt("reply", "1.0.0", "{{> footer}} {{> footer year=2025}}")),
            "{{> footer}} {{> footer year=2025}}");
  saves(prompt("footer", "1.0.0", "Bye"));
  EXPECT_EQ(
      library.effect(prompt("reply", "1.0.0", "{{> footer}}")),
      "reply > footer: content, line 1, column 1: it is not among `layers`; list it with a range, or write "
      "\\{{> for plain braces");
  EXPECT_EQ(library.effect(prompt("reply", "1.0.0", "\\{{> footer}} {{{> footer}}}")),
            "\\{{> footer}} {{{> footer}}}");
  EXPECT_EQ(library.effect(prompt("reply", "1.0.0", "\\{{> footer}}{{> footer}}", {{"footer", "*"}})),
            "\\{{> footer}}Bye");
}

TEST_F(Layers, CyclesAreRefusedWithTheWholeWay) {
  saves(prompt("a", "1.0.0", "A"));
  saves(prompt("b", "1.0.0", "B {{> a}}", {{"a", "^1"}}));
  saves(prompt("c", "1.0.0", "C {{> b}}", {{"b", "^1"}}));
  EXPECT_EQ(library.save(prompt("a", "1.1.0", "A {{> c}}", {{"c", "^1"}})),
            "a > c@1.0.0 > b@1.0.0 > a@1.0.0: it includes itself by this way");
  EXPECT_EQ(library.save(prompt("a", "1.1.0", "A {{> a}}", {{"a", "^1"}})),
            "layers[0].name: is the artifact itself");
}

TEST_F(Layers, DepthHasABound) {
  saves(prompt("d0", "1.0.0", "bottom"));
  for (int i = 1; i <= 8; ++i) {
    const std::string below = "d" + std::to_string(i - 1);
    saves(prompt("d" + std::to_string(i), "1.0.0", "{{> " + below + "}}", {{below, "^1"}}));
  }
  EXPECT_EQ(effective_content(library.version("d8", 1), library.loader())->text, "bottom");
  EXPECT_EQ(library.save(prompt("d9", "1.0.0", "{{> d8}}", {{"d8", "^1"}})),
            "d9 > d8@1.0.0 > d7@1.0.0 > d6@1.0.0 > d5@1.0.0 > d4@1.0.0 > d3@1.0.0 > d2@1.0.0 > d1@1.0.0 > "
            "d0@1.0.0: "
            "layers may lie 8 deep, and this lies deeper");
  // However it is reached first: d1 lies shallow here, and deep below d8.
  EXPECT_NE(library.save(prompt("d9", "1.0.0", "{{> d1}}{{> d8}}", {{"d1", "^1"}, {"d8", "^1"}}))
                .find("lies deeper"),
            std::string::npos);
}

TEST_F(Layers, SizeHasABound) {
  saves(prompt("big", "1.0.0", std::string(100'000, 'x')));
  const auto twice = library.resolved(prompt("reply", "1.0.0", "{{> big}}{{> big}}", {{"big", "^1"}}));
  EXPECT_TRUE(twice.ok());
  const auto thrice =
      library.resolved(prompt("reply", "1.0.0", "{{> big}}{{> big}}{{> big}}", {{"big", "^1"}}));
  ASSERT_FALSE(thrice.ok());
  EXPECT_EQ(thrice.error().code, ErrorCode::too_large);
  EXPECT_TRUE(thrice.error().detail.starts_with("reply: with its layers in place it is over 262144 bytes"));
  // Ten thousand marks are refused when the text is too long, not when all is put together.
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "{{> big}}";
  EXPECT_EQ(library.resolved(prompt("reply", "1.0.0", many, {{"big", "^1"}})).error().code,
            ErrorCode::too_large);
}

TEST_F(Layers, ALockHasABound) {
  const auto including = [&](const std::string& name, const std::string& prefix, int first, int count) {
    Content content = prompt(name, "1.0.0", "text");
    for (int i = first; i < first + count; ++i) {
      content.layers.push_back({prefix + std::to_string(i), "*"});
      content.text += " {{> " + prefix + std::to_string(i) + "}}";
    }
    return content;
  };
  for (int i = 0; i < 500; ++i) saves(prompt("leaf" + std::to_string(i), "1.0.0", "x"));
  for (int i = 0; i < 10; ++i) saves(including("branch" + std::to_string(i), "leaf", 50 * i, 50));
  EXPECT_EQ(library.resolved(including("tree", "branch", 0, 9))->content.lock.size(), 459U);
  const auto whole = library.resolved(including("tree", "branch", 0, 10));
  ASSERT_FALSE(whole.ok());
  EXPECT_EQ(whole.error().code, ErrorCode::too_large);
  EXPECT_EQ(whole.error().detail, "tree: with its layers it includes more than 500 versions");
  Content wide = including("wide", "leaf", 0, 51);
  EXPECT_EQ(library.effect(wide), "layers: are over 50");
}

TEST_F(Layers, VariablesJoin) {
  Content tone = prompt("tone", "1.0.0", "Be {{mood}} to {{customer}}. {{style}}");
  tone.variables = {{"style", VariableType::string, false, "\"brief\"", "How to write"},
                    {"mood", VariableType::string, true, "", ""}};
  saves(tone);
  Content reply = prompt("reply", "1.0.0", "{{> tone}} {{customer}} {{style}}", {{"tone", "^1"}});
  reply.variables = {{"mood", VariableType::string, false, "\"kind\"", ""},
                     {"style", VariableType::string, false, "", ""}};
  const auto found = library.resolved(reply);
  ASSERT_TRUE(found.ok()) << found.error().detail;
  const std::vector<Variable> expected = {{"mood", VariableType::string, false, "\"kind\"", ""},
                                          {"style", VariableType::string, false, "\"brief\"", "How to write"},
                                          {"customer", VariableType::string, true, "", ""}};
  EXPECT_EQ(found->effective.variables, expected);
  EXPECT_EQ(render(found->effective, {{"customer", "Ann"}})->text, "Be kind to Ann. brief Ann brief");

  reply.variables.push_back({"customer", VariableType::object, true, "", ""});
  EXPECT_EQ(
      library.effect(reply),
      "reply: the variable \"customer\" is of type object in reply and of type string in reply > tone@1.0.0");
}

// Invariant of every include: what a text means alone it means in place.
TEST_F(Layers, NothingJoinsAtTheEdgeOfALayer) {
  saves(prompt("open", "1.0.0", "ends in {"));
  saves(prompt("slash", "1.0.0", "ends in \\"));
  saves(prompt("brace", "1.0.0", "{x}} begins"));
  const std::string joins =
      "reply: content: a brace or a backslash at the edge of a layer joins with those around it; put a blank "
      "or a "
      "line break between them";
  EXPECT_EQ(library.effect(prompt("reply", "1.0.0", "{{> open}}{x}}", {{"open", "*"}})), joins);
  EXPECT_EQ(library.effect(prompt("reply", "1.0.0", "{{> slash}}{{x}}", {{"slash", "*"}})), joins);
  EXPECT_EQ(library.effect(prompt("reply", "1.0.0", "{ {{> brace}}", {{"brace", "*"}})), "{ {x}} begins");
  EXPECT_EQ(
      library.effect(prompt("reply", "1.0.0", "{{> open}}{{> brace}}", {{"open", "*"}, {"brace", "*"}})),
      joins);
  EXPECT_EQ(library.effect(prompt("reply", "1.0.0", "{{> open}} {x}}", {{"open", "*"}})), "ends in { {x}}");
}

TEST_F(Layers, PoliciesOfAllThatIsReachedBecomeOneConfig) {
  saves(policy("refunds", "1.0.0", R"({"refunds":{"days":30}})"));
  saves(policy("strict", "1.0.0", R"({"refunds":{"days":14}})"));
  saves(policy("tools", "1.0.0", R"({"tools":{"allow":["search"]}})"));
  Content guard = prompt("guard", "1.0.0", "Never lie.", {{"refunds", "^1"}});
  guard.config = R"({"own":"of the guard"})";
  saves(guard);
  Content reply = prompt("reply", "1.0.0", "{{> guard}}", {{"guard", "^1"}, {"tools", "^1"}});
  reply.config = R"({"style":"short"})";
  const auto found = library.resolved(reply);
  ASSERT_TRUE(found.ok()) << found.error().detail;
  EXPECT_EQ(found->effective.config,
            R"({"refunds":{"days":30},"style":"short","tools":{"allow":["search"]}})");
  EXPECT_EQ(found->content.config, R"({"style":"short"})");

  reply.layers.push_back({"strict", "^1"});
  EXPECT_EQ(library.effect(reply),
            "reply: the rules do not agree: at /refunds/days reply > guard@1.0.0 > refunds@1.0.0 says 30, "
            "and reply > "
            "strict@1.0.0 says 14");
  reply.layers.pop_back();
  reply.config = R"({"tools":{"deny":["search"]}})";
  EXPECT_EQ(
      library.effect(reply),
      "reply: the rules do not agree: at /tools reply > tools@1.0.0 allows \"search\", and reply denies "
      "\"search\"");
}

// Whatever is put together from whatever parts: the lock gives the same again, and every hole is one of a
// part.
TEST_F(Layers, RandomProjectsFollowTheirLocks) {
  std::mt19937 random(20261121);
  const auto below = [&](std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
  };
  const std::vector<std::string> bits = {"a",     " ",     "\n",       "{",  "}", "\\",
                                         "{{x}}", "{{y}}", "\xC3\xA4", "{{", "}}"};
  std::map<std::string, int> minor;
  int saved = 0, refused = 0, deep = 0;
  for (int step = 0; step < 600; ++step) {
    const std::string name = "p" + std::to_string(below(8));
    Content content = prompt(name, "1." + std::to_string(minor[name]++) + ".0", "text ");
    std::set<std::string> listed;
    for (std::size_t i = below(6); i > 0; --i) content.text += bits[below(bits.size())];
    for (std::size_t i = below(3); i > 0; --i) {
      const std::string other = "p" + std::to_string(below(8));
      if (other == name) continue;
      if (listed.insert(other).second) content.layers.push_back({other, "*"});
      content.text += "{{> " + other + "}}" + bits[below(bits.size())];
    }
    const auto found = library.resolved(content);
    if (!found.ok()) {
      ++refused;
      continue;
    }
    ++saved;
    deep += found->content.lock.size() > found->content.layers.size() ? 1 : 0;
    ASSERT_EQ(*effective_content(found->content, library.loader()), found->effective);
    std::set<std::string> own;
    for (const std::string& each : *variables_used(found->content)) own.insert(each);
    for (const LockEntry& entry : found->content.lock) {
      const Content& part = library.version(entry.name, static_cast<std::size_t>(entry.version));
      ASSERT_EQ(digest_of(part), entry.digest);
      for (const std::string& each : *variables_used(part)) own.insert(each);
    }
    std::set<std::string> whole;
    for (const std::string& each : *variables_used(found->effective)) whole.insert(each);
    ASSERT_EQ(whole, own) << found->effective.text;
    ASSERT_EQ(library.save(content), "");
  }
  EXPECT_GT(saved, 100);
  EXPECT_GT(refused, 50);
  EXPECT_GT(deep, 20);
}

TEST_F(Layers, ALockThatIsNotThatOfTheLayersIsRefused) {
  saves(prompt("voice", "1.0.0", "Plain."));
  saves(prompt("tone", "1.0.0", "{{> voice}}", {{"voice", "^1"}}));
  saves(prompt("reply", "1.0.0", "{{> tone}}", {{"tone", "^1"}}));
  const Content good = library.version("reply", 1);
  ASSERT_TRUE(effective_content(good, library.loader()).ok());
  Content bad = good;
  bad.lock.pop_back();
  EXPECT_FALSE(effective_content(bad, library.loader()).ok());
  bad.lock.clear();
  EXPECT_FALSE(effective_content(bad, library.loader()).ok());
  bad = good;
  std::swap(bad.lock[0], bad.lock[1]);
  EXPECT_FALSE(effective_content(bad, library.loader()).ok());
  bad = good;
  bad.layers.clear();
  EXPECT_FALSE(effective_content(bad, library.loader()).ok());
  EXPECT_TRUE(may_include(canonical_content(good)));
  EXPECT_FALSE(may_include(canonical_content(library.version("voice", 1))));
  EXPECT_EQ(*lock_from_canonical(canonical_content(good)), good.lock);
}

}  // namespace
}  // namespace imprimatur
