// The limits that api/openapi.yaml states are those of the program: at each one a value is taken, one beyond
// it is not.
#include "api/talk.h"

#include <yaml-cpp/yaml.h>

namespace imprimatur::tests {
namespace {

namespace json = boost::json;

class Limits : public Talk {
 protected:
  Limits()
      : schemas_(YAML::LoadFile(std::string(IMPRIMATUR_SOURCE_DIR) +
                                "/api/openapi.yaml")["components"]["schemas"]) {
    done("POST", "/api/v1/projects", "admin", {{{"name", "shop"}}});
  }

  // "VariableInput.properties.description.maxLength"
  std::int64_t stated(const std::string& path) {
    YAML::Node node;
    node.reset(schemas_);
    for (std::size_t at = 0; at <= path.size();) {
      const std::size_t end = std::min(path.find('.', at), path.size());
      node.reset(node[path.substr(at, end - at)]);
      at = end + 1;
    }
    EXPECT_TRUE(node.IsScalar()) << path;
    return node.as<std::int64_t>();
  }

  // A prompt with these fields beside its own.
  int create(const json::object& fields) {
    json::object body{
        {"project", "shop"}, {"name", "p" + std::to_string(++count_)}, {"type", "text"}, {"content", "x"}};
    for (const auto& [name, value] : fields) body[name] = value;
    return ask("POST", "/api/v1/prompts", "admin", body).status;
  }
  int protect(const json::object& protection) {
    return ask("PUT", "/api/v1/projects/shop/environments/staging", "admin", {{{"protection", protection}}})
        .status;
  }

  template <class Try>
  void holds(const std::string& path, Try attempt) {
    const std::int64_t limit = stated(path);
    const int at = attempt(limit), beyond = attempt(limit + 1);
    EXPECT_TRUE(at == 200 || at == 201) << path << " at " << limit << ": " << at;
    EXPECT_TRUE(beyond == 400 || beyond == 413) << path << " beyond " << limit << ": " << beyond;
  }

  static std::string letters(std::int64_t count) { return std::string(static_cast<std::size_t>(count), 'x'); }

  const YAML::Node schemas_;
  int count_ = 0;
};

TEST_F(Limits, OfWhatAVersionSays) {
  holds("VariableInput.properties.description.maxLength", [&](std::int64_t n) {
    return create({{"variables", json::array{json::object{{"name", "v"}, {"description", letters(n)}}}}});
  });
  holds("VariablesInput.maxItems", [&](std::int64_t n) {
    json::array variables;
    for (int i = 0; i < n; ++i) variables.push_back(json::object{{"name", "v" + std::to_string(i)}});
    return create({{"variables", variables}});
  });
  holds("ModelInput.properties.provider.maxLength", [&](std::int64_t n) {
    return create({{"model", {{"provider", letters(n)}, {"name", "m"}}}});
  });
  holds("ModelInput.properties.name.maxLength", [&](std::int64_t n) {
    return create({{"model", {{"name", letters(n)}}}});
  });
  holds("ModelInput.properties.maxTokens.maximum", [&](std::int64_t n) {
    return create({{"model", {{"name", "m"}, {"maxTokens", n}}}});
  });
  holds("ModelInput.properties.temperature.maximum", [&](std::int64_t n) {
    return create({{"model", {{"name", "m"}, {"temperature", n}}}});
  });
  holds("Semver.maxLength", [&](std::int64_t n) { return create({{"semver", "1.0.0-" + letters(n - 6)}}); });
  holds("PromptText.maxLength", [&](std::int64_t n) { return create({{"content", letters(n)}}); });
  holds("SaveMessage.maxLength", [&](std::int64_t n) { return create({{"message", letters(n)}}); });
  holds("Tag.maxLength", [&](std::int64_t n) { return create({{"tags", json::array{letters(n)}}}); });
  holds("Tags.maxItems", [&](std::int64_t n) {
    json::array tags;
    for (int i = 0; i < n; ++i) tags.emplace_back("t" + std::to_string(i));
    return create({{"tags", tags}});
  });
  holds("Messages.maxItems", [&](std::int64_t n) {
    json::object body{{"project", "shop"}, {"name", "c" + std::to_string(++count_)}, {"type", "chat"}};
    body["messages"] =
        json::array(static_cast<std::size_t>(n), json::object{{"role", "user"}, {"content", "x"}});
    return ask("POST", "/api/v1/prompts", "admin", body).status;
  });
}

TEST_F(Limits, OfWhatAProtectionAsksFor) {
  const auto many = [](std::int64_t n, const auto& make) {
    json::array out;
    for (std::int64_t i = 0; i < n; ++i) out.push_back(make("n" + std::to_string(i)));
    return out;
  };
  holds("Checklist.maxItems", [&](std::int64_t n) {
    return protect(
        {{"approvals", {{"count", 1}}}, {"checklist", many(n, [](const std::string& id) {
                                           return json::value{{"id", id}, {"question", "Is it so?"}};
                                         })}});
  });
  holds("NamePatterns.maxItems", [&](std::int64_t n) {
    const json::array patterns = many(n, [](const std::string& name) { return json::value(name + "/**"); });
    return protect({{"tiers", {{{"name", "t"}, {"patterns", patterns}, {"approvals", {{"count", 1}}}}}}});
  });
  protect({{"tiers", nullptr}, {"checklist", nullptr}});
  holds("PathPut.properties.soakMinutes.maximum", [&](std::int64_t n) {
    return protect({{"path", {{"after", "development"}, {"soakMinutes", n}}}});
  });
  holds("ChangeShapePut.properties.maxBytes.maximum", [&](std::int64_t n) {
    return protect({{"change", {{"maxBytes", n}}}});
  });
  holds("FreezePut.properties.minutes.maximum", [&](std::int64_t n) {
    return protect({{"freezes", {{{"name", "night"}, {"cron", "0 0 * * *"}, {"minutes", n}}}}});
  });
  holds("OwnerRulesPut.maxItems", [&](std::int64_t n) {
    const json::array rules = many(n, [](const std::string& name) {
      return json::value{{"pattern", name}, {"owners", {"admin@localhost"}}};
    });
    return ask("PUT", "/api/v1/projects/shop/owners", "admin", {{{"rules", rules}}}).status;
  });
}

TEST_F(Limits, OfProtection) {
  for (const char* schema : {"ApprovalsPut", "Approvals"}) {
    holds(std::string(schema) + ".properties.count.maximum", [&](std::int64_t n) {
      return protect({{"approvals", {{"count", n}}}});
    });
  }
  protect({{"approvals", {{"count", 0}}}});
  holds("ModelRule.properties.allowed.maxItems", [&](std::int64_t n) {
    json::array allowed;
    for (int i = 0; i < n; ++i) allowed.emplace_back("m" + std::to_string(i));
    return protect(
        {{"models", {{"allowed", allowed}, {"temperatureMin", nullptr}, {"temperatureMax", nullptr}}}});
  });
  const std::int64_t teams = stated("ApprovalsPut.properties.teams.maxProperties");
  EXPECT_EQ(teams, stated("Approvals.properties.teams.maxProperties"));
  for (int i = 0; i <= teams; ++i) {
    done("POST", "/api/v1/projects/shop/teams", "admin", {{{"name", "t" + std::to_string(i)}}});
  }
  holds("ApprovalsPut.properties.teams.maxProperties", [&](std::int64_t n) {
    json::object wanted;
    for (int i = 0; i < n; ++i) wanted["t" + std::to_string(i)] = 1;
    return protect({{"approvals", {{"teams", wanted}}}});
  });
}

}  // namespace
}  // namespace imprimatur::tests
