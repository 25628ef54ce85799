#include "http/api/request.h"

#include "http/api/identity_routes.h"
#include "identity/office_for_test.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace imprimatur::http {
namespace {

namespace json = boost::json;

Request with_body(std::string body) {
  Request request;
  request.method = Method::post;
  request.body = std::move(body);
  return request;
}

std::vector<std::string> complaints(const Status& status) {
  std::vector<std::string> out;
  if (status.ok()) return out;
  EXPECT_EQ(status.error().code, ErrorCode::invalid);
  for (const FieldError& field : status.error().fields) out.push_back(field.field);
  return out;
}

TEST(Fields, UnknownFieldsAreNamedAtEveryDepth) {
  const Request request =
      with_body(R"({"name":"a","nmae":"b","model":{"name":"m","extra":1},"list":[{"x":"1"},{"y":2}]})");
  Body body = Body::of(request).value();
  Fields fields = body.fields();
  EXPECT_EQ(fields.text("name"), "a");
  auto model = fields.object_if("model");
  EXPECT_EQ(model->text("name"), "m");
  auto list = fields.objects_if("list");
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ((*list)[0].text("x"), "1");
  EXPECT_EQ((*list)[1].text_if("x"), std::nullopt);
  EXPECT_EQ(complaints(body.done()), (std::vector<std::string>{"nmae", "model.extra", "list[1].y"}));
}

TEST(Fields, WrongTypesNameTheField) {
  const Request request =
      with_body(R"({"t":1,"n":"1","f":1.5,"b":"true","l":["a",1],"o":[],"time":"yesterday","null":null})");
  Body body = Body::of(request).value();
  Fields fields = body.fields();
  EXPECT_EQ(fields.text("t"), "");
  EXPECT_EQ(fields.integer("n"), 0);
  EXPECT_EQ(fields.integer_if("f"), std::nullopt);
  EXPECT_EQ(fields.flag_if("b"), std::nullopt);
  fields.texts("l");
  EXPECT_FALSE(fields.object_if("o").has_value());
  EXPECT_FALSE(fields.time_if("time").has_value());
  EXPECT_FALSE(fields.text_if("null").has_value());
  EXPECT_EQ(fields.text("absent"), "");
  EXPECT_EQ(complaints(body.done()),
            (std::vector<std::string>{"t", "n", "f", "b", "l[1]", "o", "time", "null", "absent"}));
}

TEST(Fields, NullStandsForAbsentOnlyWhereItMay) {
  const Request request = with_body(R"({"a":null,"b":null})");
  Body body = Body::of(request).value();
  Fields fields = body.fields();
  EXPECT_FALSE(fields.text_if("a", Null::absent).has_value());
  EXPECT_TRUE(fields.is_null("a"));
  EXPECT_FALSE(fields.integer_if("b").has_value());
  EXPECT_EQ(complaints(body.done()), std::vector<std::string>{"b"});
}

TEST(Fields, BodiesAreObjectsAndWordsAreKnown) {
  for (const char* bad : {"", "[]", "1", "null", "{", "{\"a\":1,\"a\":2}", "{} x", "{\"a\":\"\\u0000\"}"})
    EXPECT_FALSE(Body::of(with_body(bad)).ok()) << bad;
  EXPECT_TRUE(Body::maybe(with_body("")).ok());
  Body body = Body::of(with_body(R"({"role":"emperor"})")).value();
  Fields fields = body.fields();
  fields.word("role", role_of);
  EXPECT_EQ(complaints(body.done()), std::vector<std::string>{"role"});
}

TEST(Fields, ComplaintsAreBounded) {
  std::string text = "{";
  for (int i = 0; i < 500; ++i) text += (i ? ",\"f" : "\"f") + std::to_string(i) + "\":1";
  const Body body = Body::of(with_body(text + ",\"" + std::string(5000, 'x') + "\":1}")).value();
  const auto all = complaints(body.done());
  EXPECT_EQ(all.size(), kMaxComplaints);
  for (const auto& one : all) EXPECT_LE(one.size(), 300U);
}

TEST(Query, UnknownTwiceAndOutOfBounds) {
  Request request;
  request.query = {{"limit", "201"}, {"cursor", ""}, {"color", "red"}, {"q", "a"}, {"q", "b"}};
  Query query(request);
  page(query);
  query.text_if("q");
  EXPECT_EQ(complaints(query.done()), (std::vector<std::string>{"limit", "cursor", "color", "q"}));
  for (const char* bad : {"0", "-1", "1e2", "99999999999999999999", " 1", "1 "}) {
    Request one;
    one.query = {{"limit", bad}};
    Query asked(one);
    page(asked);
    EXPECT_FALSE(asked.done().ok()) << bad;
  }
  EXPECT_TRUE(no_query(Request{}).ok());
  EXPECT_FALSE(no_query(request).ok());
}

// Requests through the routes, without a socket.
struct Api : testing::Test {
  Api() { add_identity_routes(router, *office.identity, *office.projects); }

  Result<Response> ask(Method method, const std::string& path, std::string body = "",
                       std::vector<std::pair<std::string, std::string>> headers = {}) {
    Request request;
    request.method = method;
    request.target = path;
    request.body = std::move(body);
    request.headers = std::move(headers);
    std::size_t at = 1;
    while (at <= path.size()) {
      const std::size_t end = std::min(path.find('/', at), path.size());
      request.segments.push_back(path.substr(at, end - at));
      at = end + 1;
    }
    const Match match = router.match(method, request.segments);
    CHECK(match.route != nullptr, path);
    return match.route->handler(request, match.arguments);
  }
  json::object told(const Result<Response>& response, int status) {
    EXPECT_TRUE(response.ok()) << (response.ok() ? "" : response.error().detail);
    if (!response.ok()) return {};
    EXPECT_EQ(response->status, status);
    return bytes_of(*response).empty() ? json::object()
                                       : json::parse(std::string(bytes_of(*response))).as_object();
  }
  json::object log_in() {
    return told(ask(Method::post, "/api/v1/auth/login",
                    R"({"email":"admin@localhost","password":"the admin's password"})"),
                200);
  }
  static ErrorCode code_of(const Result<Response>& response) {
    return response.ok() ? ErrorCode::precondition_failed : response.error().code;
  }
  static std::pair<std::string, std::string> bearer(std::string_view token) {
    return {"Authorization", "Bearer " + std::string(token)};
  }

  identity::Office office{store::Backend::sqlite};
  Router router;
};

TEST_F(Api, TheCookieComesWithItsAttributesAndChangesWantTheCsrfToken) {
  const auto in = ask(Method::post, "/api/v1/auth/login",
                      R"({"email":"admin@localhost","password":"the admin's password"})");
  const json::object login = told(in, 200);
  const std::string token(login.at("token").as_string());
  const std::string csrf(login.at("csrfToken").as_string());
  std::string cookie;
  for (const auto& [name, value] : in->headers) {
    if (name == "Set-Cookie") cookie = value;
  }
  EXPECT_EQ(cookie, "imprimatur_session=" + token + "; Path=/; HttpOnly; SameSite=Strict");
  const std::pair<std::string, std::string> crumb{"Cookie", "theme=dark; imprimatur_session=" + token};
  EXPECT_EQ(told(ask(Method::get, "/api/v1/auth/me", "", {crumb}), 200).at("email"), "admin@localhost");
  const std::string project = R"({"name":"shop"})";
  EXPECT_EQ(code_of(ask(Method::post, "/api/v1/projects", project, {crumb})), ErrorCode::forbidden);
  EXPECT_EQ(code_of(ask(Method::post, "/api/v1/projects", project, {crumb, {"X-CSRF-Token", csrf + "x"}})),
            ErrorCode::forbidden);
  EXPECT_EQ(
      told(ask(Method::post, "/api/v1/projects", project, {crumb, {"X-CSRF-Token", csrf}}), 201).at("role"),
      "admin");
  EXPECT_EQ(code_of(ask(Method::get, "/api/v1/auth/me", "", {crumb, bearer("ims_wrong")})),
            ErrorCode::unauthenticated)
      << "Authorization goes before the cookie";
}

TEST_F(Api, OddCredentialsAreRefused) {
  const std::string token(log_in().at("token").as_string());
  EXPECT_EQ(code_of(ask(Method::get, "/api/v1/auth/me")), ErrorCode::unauthenticated);
  EXPECT_EQ(code_of(ask(Method::get, "/api/v1/auth/me", "", {{"Authorization", "Basic abc"}})),
            ErrorCode::unauthenticated);
  EXPECT_EQ(code_of(ask(Method::get, "/api/v1/auth/me", "", {bearer(token), bearer(token)})),
            ErrorCode::invalid);
  EXPECT_EQ(code_of(ask(Method::get, "/api/v1/auth/me", "", {bearer(std::string(100'000, 'a'))})),
            ErrorCode::unauthenticated);
  EXPECT_EQ(code_of(ask(Method::get, "/api/v1/auth/me", "", {{"Cookie", "imprimatur_session=imp_key"}})),
            ErrorCode::unauthenticated);
  EXPECT_TRUE(ask(Method::get, "/api/v1/auth/me", "", {{"authorization", "bEaReR " + token}}).ok());
}

TEST_F(Api, ARepeatedRequestIsAnsweredOnceAndAnotherOneIsAConflict) {
  const auto who = bearer(std::string(log_in().at("token").as_string()));
  const std::pair<std::string, std::string> key{"Idempotency-Key", "once"};
  const auto first = told(ask(Method::post, "/api/v1/projects", R"({"name":"shop"})", {who, key}), 201);
  const auto again = told(ask(Method::post, "/api/v1/projects", R"({"name":"shop"})", {who, key}), 201);
  EXPECT_EQ(first.at("id"), again.at("id"));
  EXPECT_EQ(code_of(ask(Method::post, "/api/v1/projects", R"({"name":"shed"})", {who, key})),
            ErrorCode::conflict);
  told(ask(Method::post, "/api/v1/users",
           R"({"email":"ann@example.com","displayName":"Ann","password":"correct horse"})", {who, key}),
       201);
  for (const std::string& bad : {std::string(), std::string("a b"), std::string(256, 'a')})
    EXPECT_EQ(
        code_of(ask(Method::post, "/api/v1/projects", R"({"name":"shed"})", {who, {"Idempotency-Key", bad}})),
        ErrorCode::invalid);
}

TEST_F(Api, PeopleMembersAndKeysInTheWordsOfTheContract) {
  const auto who = bearer(std::string(log_in().at("token").as_string()));
  told(ask(Method::post, "/api/v1/projects", R"({"name":"shop","description":"d"})", {who}), 201);
  const auto ann =
      told(ask(Method::post, "/api/v1/users",
               R"({"email":"Ann@Example.com","displayName":"Ann","password":"correct horse"})", {who}),
           201);
  EXPECT_EQ(ann.at("email"), "ann@example.com");
  EXPECT_EQ(code_of(ask(Method::post, "/api/v1/users", R"({"email":"x","displayName":"","pass":1})", {who})),
            ErrorCode::invalid);
  told(ask(Method::post, "/api/v1/projects/shop/teams", R"({"name":"safety"})", {who}), 201);
  const auto member = told(ask(Method::put, "/api/v1/projects/shop/members/ann@example.com",
                               R"({"role":"reviewer","teams":["safety"]})", {who}),
                           200);
  EXPECT_EQ(member.at("role"), "reviewer");
  EXPECT_EQ(member.at("disabled"), false);
  const auto key =
      told(ask(Method::post, "/api/v1/projects/shop/api-keys",
               R"({"name":"checkout","scopes":["runtime:read"],"environment":null,"expiresAt":null})", {who}),
           201);
  const std::string secret(key.at("key").as_string());
  const auto me = told(ask(Method::get, "/api/v1/auth/me", "", {bearer(secret)}), 200);
  EXPECT_EQ(me.at("kind"), "service_account");
  EXPECT_TRUE(me.at("projects").at(0).at("role").is_null());
  const auto list = told(ask(Method::get, "/api/v1/projects/shop/api-keys", "", {who}), 200);
  EXPECT_EQ(list.at("items").as_array().size(), 1U);
  EXPECT_FALSE(list.at("items").at(0).as_object().contains("key")) << "shown once";
  const std::string path = "/api/v1/projects/shop/api-keys/" + std::string(key.at("id").as_string());
  told(ask(Method::delete_, path, "", {who}), 204);
  EXPECT_EQ(code_of(ask(Method::get, "/api/v1/auth/me", "", {bearer(secret)})), ErrorCode::unauthenticated);
  EXPECT_EQ(
      code_of(ask(Method::post, "/api/v1/projects/shop/api-keys", R"({"name":"x","scopes":["all"]})", {who})),
      ErrorCode::invalid);
  told(ask(Method::delete_, "/api/v1/projects/shop/members/ann@example.com", "", {who}), 204);
  told(ask(Method::post, "/api/v1/auth/logout", "", {who}), 204);
  EXPECT_EQ(code_of(ask(Method::get, "/api/v1/auth/me", "", {who})), ErrorCode::unauthenticated);
}

}  // namespace
}  // namespace imprimatur::http
