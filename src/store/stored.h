// How values stand in columns.
#pragma once

#include "store/broken.h"
#include "store/database.h"

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::store {

// The value of an enumerator's stored name. A name that this program does not know means that the row was not
// written by it.
template <class T>
T stored(std::optional<T> value, std::string_view text) {
  if (!value) throw DataBroken("a word that is not known here: " + std::string(text));
  return *std::move(value);
}

template <class Tag>
Id<Tag> id_in(const Row& row, std::size_t column) {
  return {row.text(column)};
}

std::optional<Time> time_or_none(const Row& row, std::size_t column);  // 0: none
std::int64_t micros_or_zero(const std::optional<Time>& time);

// Throws DataBroken unless the text is a JSON object as this program writes one, so that whoever shows it can
// read it and write it again.
void require_object(std::string_view text, const std::string& what);

// A list of strings as a JSON array.
std::string list_text(const std::vector<std::string>& items);
std::vector<std::string> list_of(std::string_view text);

}  // namespace imprimatur::store
