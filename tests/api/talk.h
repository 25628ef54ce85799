// A world and the people in it, for tests that a script cannot say.
#pragma once

#include "api/world.h"
#include "base/json.h"

#include <map>
#include <optional>
#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace imprimatur::tests {

struct Reply {
  int status = 0;
  boost::json::value body;  // null when it is no JSON
  std::string text;
};

class Talk : public testing::Test {
 protected:
  Talk() { sign_in("admin", "admin@localhost", std::string(kAdminPassword)); }

  // `who`: a person that was added, a key as it is, or nobody. `thread`: of World::send.
  Reply ask(const std::string& method, const std::string& target, const std::string& who,
            const std::optional<boost::json::object>& body = std::nullopt, std::size_t thread = 0) {
    Sent sent{method, target, {}, body.has_value(), body ? boost::json::serialize(*body) : std::string()};
    const auto token = tokens_.find(who);
    if (!who.empty()) {
      sent.headers.emplace_back("Authorization", "Bearer " + (token == tokens_.end() ? who : token->second));
    }
    const Answer answer = world_.send(sent, thread);
    auto parsed = parse_json(answer.body, {.bytes = 64 * 1024 * 1024, .values = 10'000'000});
    return {answer.status, parsed.ok() ? std::move(parsed).value() : boost::json::value(), answer.body};
  }
  // The same where it must succeed.
  boost::json::value done(const std::string& method, const std::string& target, const std::string& who,
                          const std::optional<boost::json::object>& body = std::nullopt) {
    Reply reply = ask(method, target, who, body);
    EXPECT_LT(reply.status, 300) << method << " " << target << " as " << who << "\n" << reply.text;
    return std::move(reply.body);
  }
  static std::string text_of(const boost::json::value& object, std::string_view field) {
    const auto* value = object.is_object() ? object.get_object().if_contains(field) : nullptr;
    EXPECT_TRUE(value != nullptr && value->is_string()) << field << " in " << boost::json::serialize(object);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
  }

  void sign_in(const std::string& name, const std::string& email, const std::string& password) {
    tokens_[name] = text_of(
        done("POST", "/api/v1/auth/login", "", {{{"email", email}, {"password", password}}}), "token");
  }
  void add_person(const std::string& name) {
    const std::string email = name + "@example.com", password = "password of " + name;
    done("POST", "/api/v1/users", "admin",
         {{{"email", email}, {"displayName", name}, {"password", password}}});
    sign_in(name, email, password);
  }
  void add_member(const std::string& project, const std::string& by, const std::string& name,
                  const std::string& role) {
    done("PUT", "/api/v1/projects/" + project + "/members/" + name + "@example.com", by, {{{"role", role}}});
  }

  World world_;
  std::map<std::string, std::string> tokens_;
};

}  // namespace imprimatur::tests
