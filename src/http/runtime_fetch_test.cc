#include "http/runtime_fetch.h"

#include "base/log.h"
#include "domain/content.h"
#include "http/raw_client_test.h"
#include "http/server.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace imprimatur::http {
namespace {

std::string hashed(std::string_view key) { return "hash of " + std::string(key); }

delivery::ServedVersion version_of(const std::string& name, std::int64_t number, const std::string& semver,
                                   std::size_t size = 10) {
  Content content;
  content.name = name;
  content.semver = semver;
  content.text = "Hello {{who}} " + std::string(size, static_cast<char>('0' + number));
  content.variables = {{"who"}};
  return {number, {"rel_" + std::to_string(number)}, digest_of(content), canonical_content(content)};
}

class RuntimeFetchTest : public ::testing::Test {
 protected:
  RuntimeFetchTest() : delivery(hashed), metrics(1) {
    set_log_level(LogLevel::error);
    tell({delivery::ServedProject{{"prj_1"}, "shop", {{{"env_p"}, "production"}, {{"env_s"}, "staging"}}},
          delivery::ServedProject{{"prj_2"}, "other", {{{"env_o"}, "production"}}},
          delivery::ServedArtifact{
              {"env_p"},
              "support/reply",
              2,
              {version_of("support/reply", 1, "1.0.0"), version_of("support/reply", 2, "1.1.0")},
              {{"tested", 1}}},
          delivery::ServedArtifact{
              {"env_s"}, "support/reply", 3, {version_of("support/reply", 3, "2.0.0")}, {}},
          delivery::ServedArtifact{{"env_o"}, "secret", 1, {version_of("secret", 1, "1.0.0")}, {}},
          key("imp_any", "", {Scope::runtime_read}), key("imp_staging", "env_s", {Scope::runtime_read}),
          key("imp_writer", "", {Scope::prompts_write})});
    delivery::ServedKey old = key("imp_old", "", {Scope::runtime_read});
    old.expires_at = Time{1};
    tell({old});
    router.add({Method::get, "/api/v1/runtime/prompts/{name...}",
                [this](const Request& request, const PathArguments& path) -> Result<Response> {
                  return fetch_prompt(delivery, RuntimeCaller{{"prj_1"}, {}}, request, path["name"]);
                }});
    router.add({Method::post, "/api/v1/runtime/prompts/{name}/render",
                [this](const Request& request, const PathArguments& path) -> Result<Response> {
                  const RuntimeCaller caller = TRY(runtime_caller(delivery, request, SystemClock().now()));
                  return render_prompt(delivery, caller, request, path["name"]);
                }});
    ServerOptions options;
    options.port = 0;
    options.access_log = false;
    options.worker_threads = 1;
    server.emplace(options, router, metrics, runtime_fast_path(delivery));
    CHECK(server->start().ok());
  }

  static delivery::ServedKey key(const std::string& text, const std::string& environment,
                                 std::vector<Scope> scopes) {
    return {{"key_" + text},   {"svc_1"},    {"prj_1"},   {environment},
            std::move(scopes), std::nullopt, hashed(text)};
  }

  void tell(const std::vector<delivery::Change>& changes) {
    const Status status = delivery.apply(changes);
    ASSERT_TRUE(status.ok()) << status.error().detail;
  }

  std::string ask(const std::string& method, const std::string& rest, const std::string& token,
                  const std::string& fields = "") {
    RawClient client(server->port());
    client.send(method + " /api/v1/runtime/prompts/" + rest + " HTTP/1.1\r\nHost: h\r\n" +
                (token.empty() ? "" : "Authorization: Bearer " + token + "\r\n") + fields + "\r\n");
    return client.answer(method == "HEAD");
  }
  std::string get(const std::string& rest, const std::string& token = "imp_any",
                  const std::string& fields = "") {
    return ask("GET", rest, token, fields);
  }
  // "<status>" of a refusal, "<status> <version> <reason>" of a prompt.
  std::string got(const std::string& rest, const std::string& token = "imp_any") {
    const std::string answer = get(rest, token);
    const auto body = boost::json::parse(answer.substr(answer.find("\r\n\r\n") + 4));
    std::string out = std::to_string(status_in(answer));
    if (out != "200") {
      EXPECT_EQ(std::to_string(body.at("status").as_int64()), out);
      EXPECT_NE(answer.find("application/problem+json"), std::string::npos);
      return out;
    }
    return out + " " + std::to_string(body.at("version").as_int64()) + " " +
           body.at("reason").as_string().c_str();
  }
  static std::string field(const std::string& answer, const std::string& name) {
    const std::size_t at = answer.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const std::size_t from = at + name.size() + 4;
    return answer.substr(from, answer.find("\r\n", from) - from);
  }

  delivery::Delivery delivery;
  Metrics metrics;
  Router router;
  std::optional<Server> server;
};

TEST_F(RuntimeFetchTest, NamesAndSelections) {
  const std::pair<const char*, const char*> table[] = {
      {"support%2Freply", "200 2 live"},
      {"support/reply", "200 2 live"},
      {"%73upport%2freply", "200 2 live"},
      {"support%2Freply?version=1", "200 1 version"},
      {"support%2Freply?version=2", "200 2 version"},
      {"support%2Freply?version=%5E1", "200 2 version"},
      {"support/reply@^1", "200 2 version"},
      {"support%2Freply%401.0.0", "200 1 version"},
      {"support%2Freply?version=3", "404"},
      {"support%2Freply?version=%5E2", "404"},
      {"support%2Freply?version=rubbish!", "400"},
      {"support%2Freply@1?version=2", "400"},
      {"support%2Freply@", "400"},
      {"support%2Freply?version=1&label=tested", "400"},
      {"support%2Freply?label=tested", "200 1 label"},
      {"support%2Freply?label=latest", "200 2 label"},
      {"support%2Freply?label=staging", "404"},
      {"support%2Freply?environment=staging", "200 3 live"},
      {"support%2Freply?environment=stag%69ng&targetingKey=u%201&ctx.country=DE", "200 3 live"},
      {"support%2Freply?environment=production&project=shop", "200 2 live"},
      {"support%2Freply?project=other", "404"},
      // Whatever is no parameter of the contract is refused: a misspelt one would silently be production.
      {"support%2Freply?enviroment=staging", "400"},
      {"support%2Freply?environment=", "400"},
      {"support%2Freply?environment", "400"},
      {"support%2Freply?environment=staging&environment=staging", "400"},
      {"support%2Freply?e%6Evironment=staging", "200 3 live"},
      {"support%2Freply?Environment=staging", "400"},
      {"support%2Freply?ctx.=1", "400"},
      {"support%2Freply?ctx=1", "400"},
      {"support%2Freply?ctx.a=1&ctx.a=2", "400"},
      {"support%2Freply?targetingKey=a&targetingKey=b", "400"},
      {"support%2Freply?targetingKey=&ctx.a=&ctx.b=1", "200 2 live"},
      {"support%2Freply?environment=nowhere", "404"},
      {"secret", "404"},
      {"Support%2Freply", "404"},
      {"support%2Freply%00", "400"},
      {"support%2Freply%zz", "400"},
      {"support%2Freply?environment=%ff", "400"},
      {"a/../support%2Freply", "404"},
      {"", "404"},
  };
  for (const auto& [rest, expected] : table) EXPECT_EQ(got(rest), expected) << rest;
  EXPECT_EQ(got(std::string(5000, 'a')), "404");
  EXPECT_EQ(got("support%2Freply?targetingKey=" + std::string(1024, 'a')), "200 2 live");
  EXPECT_EQ(got("support%2Freply?targetingKey=" + std::string(1025, 'a')), "400");
  std::string many = "support%2Freply?targetingKey=a";
  for (int i = 0; i < 40; ++i) many += "&ctx.k" + std::to_string(i) + "=v";
  EXPECT_EQ(got(many), "200 2 live");
  EXPECT_EQ(got(many + "&ctx.k39=w"), "400");
}

TEST(RuntimeFetch, AKeyIsKnownByItsBeginning) {
  EXPECT_TRUE(is_api_key("Bearer imp_x"));
  EXPECT_TRUE(is_api_key("bearer imp_x"));
  for (const char* other :
       {"Bearer ims_imp_x", "Bearer ims_ximp_", "Basic imp_x", "imp_x", "Bearer  imp_x", ""}) {
    EXPECT_FALSE(is_api_key(other)) << other;
  }
}

TEST_F(RuntimeFetchTest, WhoMayReadWhat) {
  EXPECT_EQ(got("support%2Freply", "imp_staging"), "200 3 live") << "its own environment is the default";
  EXPECT_EQ(got("support%2Freply?environment=staging", "imp_staging"), "200 3 live");
  EXPECT_EQ(got("support%2Freply?environment=production", "imp_staging"), "403");
  EXPECT_EQ(got("support%2Freply?environment=nowhere", "imp_staging"), "403")
      << "says nothing of what exists";
  EXPECT_EQ(got("support%2Freply", "imp_writer"), "403");
  EXPECT_EQ(got("secret", "imp_writer"), "403");
  for (const char* token : {"", "imp_unknown", "imp_", "imp_old", "imp_any2"}) {
    EXPECT_EQ(got("support%2Freply", token), "401") << token;
  }
  const std::string refused = get("support%2Freply", "imp_unknown");
  EXPECT_EQ(field(refused, "WWW-Authenticate"), "Bearer");
  EXPECT_EQ(status_in(get("support%2Freply", "", "Authorization: Basic aW1wX2FueTo=\r\n")), 200)
      << "not a key: left to the router, whose handler here lets everybody in";
  EXPECT_EQ(status_in(ask("POST", "support%2Freply", "imp_any")), 405);
}

TEST_F(RuntimeFetchTest, TagsAndHead) {
  const std::string full = get("support%2Freply");
  const std::string tag = field(full, "ETag");
  EXPECT_EQ(field(full, "Cache-Control"), "private, no-cache");
  for (const std::string& header : {tag, "\"other\", " + tag, "W/" + tag, std::string("*")}) {
    const std::string same = ask("GET", "support%2Freply", "imp_any", "If-None-Match: " + header + "\r\n");
    EXPECT_EQ(status_in(same), 304) << header;
    EXPECT_EQ(field(same, "ETag"), tag);
    EXPECT_EQ(field(same, "Content-Length"), "");
    EXPECT_NE(field(same, "X-Request-Id"), "");
  }
  EXPECT_EQ(status_in(get("support%2Freply", "imp_any", "If-None-Match: \"other\"\r\n")), 200);
  const std::string head = ask("HEAD", "support%2Freply", "imp_any");
  EXPECT_EQ(field(head, "ETag"), tag);
  EXPECT_EQ(field(head, "Content-Length"), field(full, "Content-Length"));
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  EXPECT_EQ(status_in(ask("HEAD", "nothing", "imp_any")), 404);
  const std::string pinned = get("support%2Freply?version=1");
  EXPECT_EQ(status_in(get("support%2Freply?version=1", "imp_any",
                          "If-None-Match: " + field(pinned, "ETag") + "\r\n")),
            304);
  // The handler for sessions says the same bytes.
  const std::string by_handler = ask("GET", "support%2Freply", "", "Cookie: s=1\r\n");
  EXPECT_EQ(by_handler.substr(by_handler.find("\r\n\r\n")), full.substr(full.find("\r\n\r\n")));
  EXPECT_EQ(field(by_handler, "ETag"), tag);
}

TEST_F(RuntimeFetchTest, TheNextRequestSeesEveryChange) {
  RawClient client(server->port());
  const auto next = [&](const std::string& token) {
    client.send("GET /api/v1/runtime/prompts/support%2Freply HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " +
                token + "\r\n\r\n");
    const std::string answer = client.answer();
    if (status_in(answer) != 200) return std::to_string(status_in(answer));
    return std::to_string(
        boost::json::parse(answer.substr(answer.find("\r\n\r\n") + 4)).at("version").as_int64());
  };
  for (int i = 0; i < 50; ++i) {
    const std::int64_t live = i % 2 + 1;
    tell({delivery::ServedArtifact{
        {"env_p"},
        "support/reply",
        live,
        {version_of("support/reply", 1, "1.0.0"), version_of("support/reply", 2, "1.1.0")},
        {}}});
    ASSERT_EQ(next("imp_any"), std::to_string(live));
  }
  EXPECT_EQ(next("imp_unknown"), "401");
  EXPECT_EQ(next("imp_any"), "2") << "one credential is not remembered for another";
  tell({delivery::RevokedKey{{"key_imp_any"}}});
  EXPECT_EQ(next("imp_any"), "401");
  tell({key("imp_any", "env_s", {Scope::runtime_read})});
  EXPECT_EQ(next("imp_any"), "3");
  EXPECT_EQ(delivery.take_last_uses().count({"key_imp_any"}), 1u);
}

TEST_F(RuntimeFetchTest, LargeAnswersOutliveTheirRelease) {
  tell({delivery::ServedArtifact{{"env_p"}, "big", 1, {version_of("big", 1, "1.0.0", 4'000'000)}, {}}});
  RawClient client(server->port(), 4096);
  client.send("GET /api/v1/runtime/prompts/big HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer imp_any\r\n\r\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  tell({delivery::ServedArtifact{{"env_p"}, "big", 2, {version_of("big", 2, "1.0.1", 4'000'000)}, {}}});
  EXPECT_EQ(status_in(get("support%2Freply")), 200);
  const std::string answer = client.answer();
  EXPECT_EQ(boost::json::parse(answer.substr(answer.find("\r\n\r\n") + 4)).at("version"), 1);
}

TEST_F(RuntimeFetchTest, Render) {
  const auto render = [&](const std::string& rest, const std::string& body,
                          const std::string& token = "imp_any") {
    return ask("POST", rest, token,
               "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
                   "\r\n\r\n" + body);
  };
  const std::string answer =
      render("support%2Freply/render", "{\"variables\":{\"who\":\"you\"},\"context\":{}}");
  ASSERT_EQ(status_in(answer), 200) << answer;
  const auto body = boost::json::parse(answer.substr(answer.find("\r\n\r\n") + 4));
  EXPECT_EQ(body.at("content"), "Hello you 2222222222");
  EXPECT_EQ(body.at("version"), 2);
  const std::string missing = render("support%2Freply/render", "{\"variables\":{}}");
  EXPECT_EQ(status_in(missing), 422);
  EXPECT_NE(missing.find("\"field\":\"variables.who\""), std::string::npos) << missing;
  EXPECT_EQ(status_in(render("support%2Freply/render", "{\"variables\":{\"who\":\"x\"},\"extra\":1}")), 400);
  EXPECT_EQ(status_in(render("support%2Freply/render", "{\"variables\":[]}")), 400);
  EXPECT_EQ(status_in(render("support%2Freply/render", "{")), 400);
  const std::string who = "{\"variables\":{\"who\":\"x\"}";
  EXPECT_EQ(status_in(render("support%2Freply/render", "{}")), 400) << "variables are required";
  EXPECT_EQ(status_in(render("support%2Freply/render", "{\"variables\":null}")), 400);
  EXPECT_EQ(status_in(render("support%2Freply/render", who + ",\"environment\":\"\"}")), 400);
  EXPECT_EQ(status_in(render("support%2Freply/render", who + ",\"environment\":null}")), 400);
  EXPECT_EQ(status_in(render("support%2Freply/render", who + ",\"context\":null}")), 400);
  EXPECT_EQ(status_in(render("support%2Freply/render?enviroment=staging", who + "}")), 400);
  const auto sized = [&](std::size_t bytes) {
    return "{\"variables\":{\"who\":\"" + std::string(bytes - 10, 'x') + "\"}}";
  };
  EXPECT_EQ(status_in(render("support%2Freply/render", sized(1024 * 1024))), 200);
  EXPECT_EQ(status_in(render("support%2Freply/render", sized(1024 * 1024 + 1))), 413);
  EXPECT_EQ(
      status_in(render("support%2Freply/render",
                       "{\"variables\":{\"who\":\"x\"},\"environment\":\"production\"}", "imp_staging")),
      403);
  EXPECT_EQ(status_in(render("nothing/render", "{\"variables\":{}}")), 404);
  EXPECT_EQ(status_in(render("support%2Freply/render", "{}", "imp_old")), 401);
}

}  // namespace
}  // namespace imprimatur::http
