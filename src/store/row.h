// What goes into a statement and what comes out of it.
#pragma once

#include "base/clock.h"
#include "domain/ids.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace imprimatur::store {

// An argument. Text is not copied before the statement runs.
class Argument {
 public:
  template <class T>
  requires std::is_integral_v<T> Argument(T number)
      : number_(static_cast<std::int64_t>(number)), is_text_(false) {}  // NOLINT: implicit
  Argument(std::string_view text) : text_(text) {}                      // NOLINT
  Argument(const std::string& text) : text_(text) {}                    // NOLINT
  Argument(const char* text) : text_(text) {}                           // NOLINT
  Argument(Time time) : number_(time.micros), is_text_(false) {}        // NOLINT
  template <class Tag>
  Argument(const Id<Tag>& id) : text_(id.text) {}  // NOLINT

  bool is_text() const { return is_text_; }
  std::string_view text() const { return text_; }
  std::int64_t number() const { return number_; }

 private:
  std::string_view text_;
  std::int64_t number_ = 0;
  bool is_text_ = true;
};

// The present row of a result; valid until the function it was given to returns.
class Row {
 public:
  explicit Row(std::span<std::string> columns) : columns_(columns) {}
  const std::string& text(std::size_t column) const;
  std::int64_t integer(std::size_t column) const;
  bool flag(std::size_t column) const { return integer(column) != 0; }
  Time time(std::size_t column) const { return {integer(column)}; }
  std::size_t size() const { return columns_.size(); }

 private:
  std::span<std::string> columns_;
};

}  // namespace imprimatur::store
