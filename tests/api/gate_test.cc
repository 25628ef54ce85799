// What keeps the gate shut that no request can bring about.
#include "api/talk.h"
#include "registry/events.h"
#include "store/registry_rows.h"

#include <fstream>

namespace imprimatur::tests {
namespace {

namespace json = boost::json;

class Gate : public Talk {
 protected:
  Gate() {
    add_person("ann");
    add_person("ben");
    done("POST", "/api/v1/projects", "ann", {{{"name", "shop"}}});
    add_member("shop", "ann", "ben", "reviewer");
  }
  std::string saved(const std::string& name, const std::string& content) {
    return text_of(done("POST", "/api/v1/prompts", "ann",
                        {{{"project", "shop"}, {"name", name}, {"type", "text"}, {"content", content}}}),
                   "id");
  }
  std::string approved(const std::string& prompt) {
    const std::string review = text_of(
        done("POST", "/api/v1/prompts/" + prompt + "/versions/1/submit", "ann", json::object()), "id");
    EXPECT_EQ(text_of(done("POST", "/api/v1/reviews/" + review + "/approve", "ben", json::object()), "state"),
              "approved");
    return review;
  }
  json::value gate(const std::string& prompt) {
    return done("GET", "/api/v1/prompts/" + prompt + "/versions/1/gate", "ann");
  }
  static bool met(const json::value& gate, std::string_view kind) {
    for (const json::value& each : gate.at("requirements").as_array()) {
      if (each.at("kind").as_string() == kind) return each.at("met").as_bool();
    }
    ADD_FAILURE() << kind << " is not in " << json::serialize(gate);
    return false;
  }
};

TEST_F(Gate, AScanOfOtherRulesIsStale) {
  const std::string prompt = saved("greeting", "Hello"), review = approved(prompt);
  EXPECT_TRUE(gate(prompt).at("met").as_bool());
  const std::string pack = (world_.directory() / "pack.yaml").string();
  std::ofstream(pack) << R"(rules:
- id: LEAK-901
  category: SYSTEM_PROMPT_LEAK
  severity: LOW
  kind: text
  confidence: 50
  title: A zebra
  message: The text speaks of a zebra.
  fix: Speak of a horse.
  refs: [OWASP-LLM07:2025]
  anchors: [zebra]
  window: [8, 8]
  patterns:
  - '\bzebra\b'
  bad:
  - A zebra.
  good:
  - A horse.
)";
  world_.restart({pack});
  const json::value stale = gate(prompt);
  EXPECT_FALSE(stale.at("met").as_bool());
  EXPECT_FALSE(met(stale, "check:scan"));
  EXPECT_TRUE(met(stale, "approvals"));
  const Reply refused = ask("POST", "/api/v1/reviews/" + review + "/deploy", "ben", json::object());
  EXPECT_EQ(refused.status, 422);
  EXPECT_NE(refused.text.find("scan"), std::string::npos) << refused.text;
  EXPECT_EQ(
      ask("POST", "/api/v1/prompts/" + prompt + "/versions/1/deploy", "ann", {{{"environment", "staging"}}})
          .status,
      422);
  EXPECT_EQ(ask("GET", "/api/v1/runtime/prompts/greeting?project=shop", "ann").status, 404);
  done("POST", "/api/v1/prompts/" + prompt + "/versions/1/scan", "ann", json::object());
  EXPECT_TRUE(gate(prompt).at("met").as_bool());
  EXPECT_EQ(ask("POST", "/api/v1/reviews/" + review + "/deploy", "ben", json::object()).status, 201);
  EXPECT_EQ(world_.verify(), "");
}

TEST_F(Gate, AnErrorOfTheEngineIsNoPass) {
  // More than the engine keeps of one rule in one part.
  std::string text;
  for (int i = 0; i < 1001; ++i) text += "mail" + std::to_string(i) + "@acme-corp.net and ";
  const std::string prompt = saved("addresses", text);
  const json::value scan = done("GET", "/api/v1/prompts/" + prompt + "/versions/1", "ann").at("scan");
  EXPECT_EQ(text_of(scan, "status"), "error");
  EXPECT_FALSE(met(gate(prompt), "check:scan"));
  EXPECT_EQ(ask("POST", "/api/v1/prompts/" + prompt + "/versions/1/submit", "ann", json::object()).status,
            422);
  EXPECT_EQ(
      ask("POST", "/api/v1/prompts/" + prompt + "/versions/1/deploy", "ann", {{{"environment", "staging"}}})
          .status,
      422);
  EXPECT_EQ(world_.verify(), "");
}

TEST_F(Gate, ARequirementThatNobodyHereKnowsBlocks) {
  const std::string prompt = saved("greeting", "Hello"), review = approved(prompt);
  // As a newer program would have left it.
  const auto project = world_.store().read(
      [](store::Tx& tx) -> Result<ProjectId> { return store::project_by_name(tx, "shop").value().id; });
  const Status written = world_.store().write({project.value().text}, [&](store::Tx& tx) -> Status {
    Environment production = store::environment_by_name(tx, project.value(), "production").value();
    production.protection.version += 1;
    production.protection.unknown = {"soak"};
    store::put_environment(tx, production);
    tx.append(project.value().text, registry::environment_changed_event({"system"}, production, false, {}));
    return Ok{};
  });
  ASSERT_TRUE(written.ok()) << written.error().detail;
  const json::value answer = gate(prompt);
  EXPECT_FALSE(answer.at("met").as_bool());
  EXPECT_FALSE(met(answer, "soak"));
  const Reply refused = ask("POST", "/api/v1/reviews/" + review + "/deploy", "ben", json::object());
  EXPECT_EQ(refused.status, 422);
  EXPECT_NE(refused.text.find("soak"), std::string::npos) << refused.text;
}

}  // namespace
}  // namespace imprimatur::tests
