// What an answer must look like, and the variables that stand for values of earlier answers.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

namespace imprimatur::tests {

// "p", "ann.id" to what they stand for.
using Variables = std::map<std::string, boost::json::value, std::less<>>;

enum class Inside { text, json };  // in JSON a value is escaped as part of a string

// `text` with every $name replaced; a '$' that no variable follows stays, an unknown name is reported.
struct Substituted {
  std::string text;
  std::string unknown;  // the first name that nothing stands for; empty when there is none
};
Substituted substitute(std::string_view text, const Variables& variables, Inside inside);

// '*' stands for any bytes.
bool matches_glob(std::string_view pattern, std::string_view text);

// Why `actual` does not match; nothing when it does. Binds the variables that are new.
std::optional<std::string> unlike(const boost::json::value& pattern, const boost::json::value& actual,
                                  Variables& variables, const std::string& where = "");

// The pattern with what does not match replaced by what came, variables in place of their values.
boost::json::value accepted(const boost::json::value& pattern, const boost::json::value& actual,
                            Variables& variables);

}  // namespace imprimatur::tests
