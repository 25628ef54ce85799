// Rows of the tables as text, so that what the events give and what is stored can be compared.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace imprimatur::journal {

// The fields of a row as "field=value" lines in the order of their names: two rows are equal exactly when
// their texts are.
class RowText {
 public:
  RowText() = default;
  explicit RowText(std::string text) : text_(std::move(text)) {}
  // Replaces the field, or adds it.
  RowText& set(std::string_view field, std::string_view value);
  RowText& set(std::string_view field, std::int64_t value);
  RowText& set(std::string_view field, std::same_as<bool> auto value) { return set(field, word_of(value)); }
  std::string_view get(std::string_view field) const;  // empty when it is not there
  const std::string& text() const { return text_; }
  std::vector<std::pair<std::string_view, std::string_view>> fields() const;

 private:
  static std::string_view word_of(bool value) { return value ? "true" : "false"; }
  std::string text_;
};

// "version art_1 3": the table and the key, parts separated by blanks.
std::string row_key(std::string_view table, std::string_view id);
std::string row_key(std::string_view table, std::string_view id, std::int64_t number);

// A list as a field holds it: sorted, with commas; a comma or a backslash of an item behind a backslash.
std::string joined(std::vector<std::string> items);

// The rows of the tables as they are.
using TableRows = std::map<std::string, std::string>;

// The rows of the tables as the events give them, each with the entry that last set it.
struct ReplayedRow {
  std::string value;
  std::uint64_t seq = 0;
  bool stored = false;  // the very same row was seen in the table since
  std::uint32_t changed =
      0;                    // the fields that entries after the first one gave another value, by their place
  std::uint64_t first = 0;  // the entry that made it, when that is not the last one

  void set(std::string text, std::uint64_t entry);
  // The entry that a value in this place rests on: the first one, or the last when a later one changed it.
  std::uint64_t entry_of(std::size_t place) const;
};
using ReplayedRows = std::unordered_map<std::string, ReplayedRow>;

// One row that is not what the events say. `seq`: the entry that the wrong field rests on; 0 where none
// accounts for the row.
struct Mismatch {
  std::uint64_t seq = 0;
  std::string what;
  std::set<std::string> doubtful = {};  // served_by
};
// What applications get by the row, so that it must not be served while the row is wrong: "artifact art_1",
// "environment env_1", "project prj_1", "key key_1". Empty for a row that only decides what may happen next.
std::set<std::string> served_by(std::string_view key, std::string_view text);

// `tables` may leave out the rows that are marked as stored. In the order of `seq`, at most `limit`.
std::vector<Mismatch> compare(const ReplayedRows& replayed, const TableRows& tables, std::size_t limit);

}  // namespace imprimatur::journal
