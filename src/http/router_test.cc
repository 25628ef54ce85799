#include "http/router.h"

#include "http/problem.h"
#include "http/response_writer.h"

#include <gtest/gtest.h>

namespace imprimatur::http {
namespace {

Handler named(std::string name) {
  return [name](const Request&, const PathArguments&) -> Result<Response> { return json_response(name); };
}

Router example() {
  Router router;
  for (const auto& [method, pattern] : std::initializer_list<std::pair<Method, const char*>>{
           {Method::get, "/"},
           {Method::get, "/api/prompts"},
           {Method::post, "/api/prompts"},
           {Method::get, "/api/prompts/{id}"},
           {Method::get, "/api/prompts/export"},
           {Method::get, "/api/runtime/{name...}"},
           {Method::post, "/api/runtime/{name}/render"},
           {Method::delete_, "/api/prompts/{id}/versions/{n}"}}) {
    router.add({method, pattern, named(pattern)});
  }
  return router;
}

std::string found(const Router& router, Method method, std::vector<std::string> segments) {
  const Match match = router.match(method, segments);
  return match.route != nullptr ? match.route->pattern : "[" + match.allowed + "]";
}

TEST(Router, FindsTheMostSpecificRoute) {
  const Router router = example();
  EXPECT_EQ(found(router, Method::get, {""}), "/");
  EXPECT_EQ(found(router, Method::get, {"api", "prompts", "x"}), "/api/prompts/{id}");
  EXPECT_EQ(found(router, Method::get, {"api", "prompts", "export"}), "/api/prompts/export");
  EXPECT_EQ(found(router, Method::head, {"api", "prompts", "export"}), "/api/prompts/export");
  EXPECT_EQ(found(router, Method::post, {"api", "runtime", "a/b", "render"}), "/api/runtime/{name}/render");
  EXPECT_EQ(found(router, Method::get, {"api", "runtime", "a", "b", "c"}), "/api/runtime/{name...}");
  const Match match = router.match(Method::get, {"api", "runtime", "a", "b", "c"});
  EXPECT_EQ(match.arguments["name"], "a/b/c");
}

TEST(Router, SaysNotFoundAndNotAllowedExactly) {
  const Router router = example();
  EXPECT_EQ(found(router, Method::get, {"api", "nothing"}), "[]");
  EXPECT_EQ(found(router, Method::get, {"api", "prompts", ""}), "[]") << "a parameter is never empty";
  EXPECT_EQ(found(router, Method::get, {"API", "prompts"}), "[]");
  EXPECT_EQ(found(router, Method::get, {"api", "prompts", "x", ""}), "[]");
  EXPECT_EQ(found(router, Method::put, {"api", "prompts"}), "[GET, HEAD, POST]");
  EXPECT_EQ(found(router, Method::other, {""}), "[GET, HEAD]");
  EXPECT_EQ(found(router, Method::get, {"api", "prompts", "x", "versions", "1"}), "[DELETE]");
}

TEST(Router, ListsItsRoutes) {
  const Router router = example();
  const auto list = router.list();
  ASSERT_EQ(list.size(), 8u);
  EXPECT_EQ(list[2], (std::pair<std::string_view, std::string_view>{"POST", "/api/prompts"}));
}

TEST(RouterDeathTest, ARouteStandsOnce) {
  Router router = example();
  EXPECT_DEATH(router.add({Method::get, "/api/prompts", named("again")}), "/api/prompts");
  EXPECT_DEATH(router.add({Method::get, "/{a...}/b", named("tail first")}), "CHECK");
}

TEST(Problem, IsTheDocumentOfTheContract) {
  Error error = forbidden("no", {"needs 1 more approval from @safety"});
  error.fields.push_back({"a.b", "is \"bad\""});
  const Response response = problem(error, "/api/x", "trace-1");
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(bytes_of(response),
            R"({"type":"about:blank","title":"Forbidden","status":403,"detail":"no","instance":"/api/x",)"
            R"("code":"forbidden","errors":[{"field":"a.b","message":"is \"bad\""}],)"
            R"("reasons":["needs 1 more approval from @safety"],"traceId":"trace-1"})");
}

TEST(Problem, EveryCodeHasItsStatusAndItsFields) {
  const std::pair<ErrorCode, int> table[] = {
      {ErrorCode::invalid, 400},       {ErrorCode::unauthenticated, 401},
      {ErrorCode::forbidden, 403},     {ErrorCode::not_found, 404},
      {ErrorCode::conflict, 409},      {ErrorCode::precondition_failed, 412},
      {ErrorCode::too_large, 413},     {ErrorCode::unsupported, 415},
      {ErrorCode::unprocessable, 422}, {ErrorCode::rate_limited, 429},
      {ErrorCode::unavailable, 503}};
  for (const auto& [code, status] : table) {
    Error error{code, "x"};
    error.retry_after_seconds = code == ErrorCode::rate_limited ? 30 : 0;
    const Response response = problem(error, "/", "t");
    EXPECT_EQ(response.status, status);
    EXPECT_NE(reason_phrase(status), "Error");
    std::string fields;
    for (const auto& [name, value] : response.headers) fields += name + "=" + value + ";";
    EXPECT_EQ(fields, status == 401   ? "WWW-Authenticate=Bearer;"
                      : status == 429 ? "Retry-After=30;"
                      : status == 503 ? "Retry-After=1;"
                                      : "");
  }
}

TEST(ResponseWriter, FieldsCannotBreakOut) {
  Response response = json_response("{}");
  response.headers = {{"Location", "/a\r\nSet-Cookie: x=1"}, {"ETag", "\"a\""}, {"Cache-Control", "private"}};
  EXPECT_EQ(head_of(response, {.id = "i", .date_line = "Date: d\r\n", .close = true}),
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nETag: \"a\"\r\n"
            "Cache-Control: private\r\nX-Content-Type-Options: nosniff\r\nX-Request-Id: i\r\nDate: d\r\n"
            "Connection: close\r\n\r\n");
}

TEST(ResponseWriter, KnowsJsonWhenItSeesIt) {
  for (const char* good : {"application/json", "Application/JSON ; charset=UTF-8",
                           "application/json;charset=\"utf-8\"", "application/json; profile=x"}) {
    EXPECT_TRUE(is_json(good)) << good;
  }
  for (const char* bad : {"", "text/plain", "application/jsonp", "application/json; charset=latin1",
                          "application/json-patch+json", "application/x-www-form-urlencoded", "*/*"}) {
    EXPECT_FALSE(is_json(bad)) << bad;
  }
  EXPECT_TRUE(acceptable_request_id("a-B_9."));
  for (const auto& bad : {std::string(), std::string("a b"), std::string("a\"b"), std::string(65, 'a')}) {
    EXPECT_FALSE(acceptable_request_id(bad)) << bad;
  }
}

}  // namespace
}  // namespace imprimatur::http
