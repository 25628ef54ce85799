// A SELECT with conditions that are there or not.
#pragma once

#include "store/database.h"

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::store {

class Query {
 public:
  explicit Query(std::string_view select) : sql_(select) {}

  // `condition` holds one '?' for each argument.
  template <class... A>
  Query& where(std::string_view condition, const A&... arguments) {
    sql_ += first_ ? " WHERE " : " AND ";
    first_ = false;
    sql_ += condition;
    (add(Argument(arguments)), ...);
    return *this;
  }
  // ORDER BY and LIMIT; one row more than the page, to know whether there is a next one.
  Query& order(std::string_view by, int limit) {
    sql_ += " ORDER BY ";
    sql_ += by;
    sql_ += " LIMIT ?";
    add(Argument(limit + 1));
    return *this;
  }

  template <class F>
  auto all(Database& database, F&& make) const {
    std::vector<std::invoke_result_t<F, const Row&>> found;
    database.each_of(
        sql_, [&](const Row& row) { found.push_back(make(row)); }, arguments_);
    return found;
  }
  const std::string& sql() const { return sql_; }

 private:
  void add(const Argument& argument) {
    if (argument.is_text()) {
      arguments_.emplace_back(std::string_view(texts_.emplace_back(argument.text())));
    } else {
      arguments_.push_back(argument);
    }
  }

  std::string sql_;
  std::vector<Argument> arguments_;
  std::deque<std::string> texts_;  // arguments outlive the expression they came from
  bool first_ = true;
};

// A SELECT and what follows it.
std::string joined(std::string_view select, std::string_view rest);

// "%text%" in lower case (ASCII), with '!' before what LIKE would read: for "lower(x) LIKE ? ESCAPE '!'".
std::string like_pattern(std::string_view text);
std::string ascii_lowered(std::string_view text);

}  // namespace imprimatur::store
