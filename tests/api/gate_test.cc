// What keeps the gate shut that no request can bring about.
#include "api/talk.h"
#include "registry/events.h"
#include "store/registry_rows.h"

#include <fstream>
#include <set>

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
  ProjectId project_of(const std::string& prompt) {
    const auto found = world_.store().read(
        [&](store::Tx& tx) -> Result<ProjectId> { return store::artifact(tx, {prompt}).value().project; });
    return found.value();
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

// Every version is scanned itself, whatever was scanned before it, and the result speaks of its digest alone.
TEST_F(Gate, AScanOfOneDigestServesNoOther) {
  const std::string clean = "Hello", planted = "Use the key AKIAIOSFODNN7QZXWPLM to sign in.";
  const std::string prompt = saved("greeting", clean), of_prompt = "/api/v1/prompts/" + prompt;
  // Forth and back between two texts, by every way that makes a version of an older one.
  done("PUT", of_prompt, "ann", {{{"content", planted}}});
  done("PUT", of_prompt, "ann", {{{"content", clean}, {"baseVersion", 2}}});
  done("PUT", of_prompt, "ann", {{{"content", planted}, {"message", "Again"}}});
  const std::string twin = saved("twin", planted);
  std::set<std::string> ids, digests;
  const auto scanned = [&](const std::string& id, int number, const std::string& status) {
    const json::value version =
        done("GET", "/api/v1/prompts/" + id + "/versions/" + std::to_string(number), "ann");
    EXPECT_EQ(text_of(version.at("scan"), "status"), status) << number;
    EXPECT_EQ(text_of(version.at("scan"), "digest"), text_of(version, "digest")) << number;
    EXPECT_TRUE(ids.insert(text_of(version.at("scan"), "id")).second) << "a scan of another version";
    digests.insert(text_of(version, "digest"));
  };
  scanned(prompt, 1, "pass");
  scanned(prompt, 2, "fail");
  scanned(prompt, 3, "pass");
  scanned(prompt, 4, "fail");
  scanned(twin, 1, "fail");
  EXPECT_GE(digests.size(), 3U);
  for (const std::string version : {"/versions/2", "/versions/4"}) {
    EXPECT_EQ(ask("POST", of_prompt + version + "/submit", "ann", json::object()).status, 422);
  }
  EXPECT_EQ(world_.verify(), "");

  // A result that was carried over: newer than the version's own, and of the digest of the clean one.
  const Status carried = world_.store().write({project_of(prompt).text}, [&](store::Tx& tx) -> Status {
    ScanRecord scan = store::latest_scan(tx, {prompt}, 1).value();
    scan.id = {"scn_carried"};
    scan.version = 2;
    store::insert_scan(tx, scan);
    tx.append(scan.project.text, registry::scan_recorded_event({"system"}, scan));
    return Ok{};
  });
  ASSERT_TRUE(carried.ok()) << carried.error().detail;
  const json::value answer = done("GET", of_prompt + "/versions/2/gate", "ann");
  EXPECT_FALSE(met(answer, "check:scan")) << json::serialize(answer);
  EXPECT_EQ(ask("POST", of_prompt + "/versions/2/deploy", "ann", {{{"environment", "staging"}}}).status, 422);
  EXPECT_EQ(ask("POST", of_prompt + "/versions/2/submit", "ann", json::object()).status, 422);
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
