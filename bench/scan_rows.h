// The development data of the scanner: JSON lines that stand beside the repository, never in it.
// IMPRIMATUR_SCAN_DATA names their directory.
#pragma once

#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <boost/json.hpp>

namespace imprimatur::bench {

struct Row {
  std::string text;
  std::string label;
  std::string family;
  std::string tier;
  std::string source;
};

inline std::filesystem::path data_directory() {
  const char* const named = std::getenv("IMPRIMATUR_SCAN_DATA");
  return named == nullptr ? "" : named;
}

inline std::string text_of(const boost::json::object& object, const char* key) {
  const boost::json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

// Empty, with a word on standard error, when the file is not there.
inline std::vector<Row> read_rows(const std::filesystem::path& file) {
  std::vector<Row> rows;
  std::ifstream in(file);
  if (!in) std::cerr << "skipped: " << file.string() << " is not there\n";
  for (std::string line; std::getline(in, line);) {
    const boost::json::value value = boost::json::parse(line);
    const boost::json::object& row = value.as_object();
    std::string text = text_of(row, "text");
    if (text.empty()) text = text_of(row, "content");
    std::string source = text_of(row, "source");
    if (source.empty()) source = text_of(row, "id").substr(0, text_of(row, "id").find(':'));
    rows.push_back(
        {std::move(text), text_of(row, "label"), text_of(row, "family"), text_of(row, "tier"), source});
  }
  return rows;
}

// The texts of the rows, one after another, cut into pieces of `size` bytes.
inline std::vector<std::string> joined_rows(const std::vector<Row>& rows, std::size_t size) {
  std::vector<std::string> out;
  std::string text;
  for (const Row& row : rows) {
    text += row.text;
    text += "\n\n";
    if (text.size() < size) continue;
    std::size_t end = size;
    while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    out.push_back(text.substr(0, end));
    text.clear();
  }
  return out;
}

}  // namespace imprimatur::bench
