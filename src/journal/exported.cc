#include "journal/exported.h"

#include "base/json.h"

#include <optional>

#include <boost/json.hpp>

namespace imprimatur::journal {
namespace {

namespace json = boost::json;

std::string line_of(std::string_view kind, std::string_view body) {
  return "{\"" + std::string(kind) + "\":" + std::string(body) + "}";
}

Result<std::string> text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return invalid("a row lacks \"" + std::string(name) + "\"");
  return std::string(value->get_string());
}

Status take_row(Verifier& verifier, const json::value& value) {
  if (!value.is_object()) return invalid("a row must be an object");
  const json::object& row = value.get_object();
  const json::value* fields = row.if_contains("fields");
  if (fields == nullptr || !fields->is_object()) return invalid("a row lacks its fields");
  RowText text;
  for (const auto& field : fields->get_object()) {
    if (!field.value().is_string()) return invalid("a row's fields must be strings");
    text.set(field.key(), field.value().get_string());
  }
  const std::string journal = TRY(text_of(row, "journal"));
  const std::string key = TRY(text_of(row, "key"));
  verifier.take_row(journal, key, text.text());
  return Ok{};
}

Status take_line(Verifier& verifier, std::string_view line) {
  const json::value parsed = TRY(parse_json(line, {.bytes = kMaxExportLine}));
  if (!parsed.is_object()) return invalid("not a line of an export");
  const json::object& object = parsed.get_object();
  if (const json::value* row = object.if_contains("row")) return take_row(verifier, *row);
  if (const json::value* inner = object.if_contains("checkpoint")) {
    const std::string text = TRY(canonical_json(*inner));
    const SignedHead head = TRY(head_from_json(text));
    verifier.take_head(head);
    return Ok{};
  }
  if (object.contains("rootHash")) {
    const SignedHead head = TRY(head_from_json(line));
    verifier.take_head(head);
    return Ok{};
  }
  const Entry entry = TRY(entry_from_json(line));
  verifier.take(entry);
  return Ok{};
}

}  // namespace

std::string export_header() { return line_of("format", "\"" + std::string(kExportFormat) + "\""); }

std::string export_line(const SignedHead& head) { return line_of("checkpoint", head_to_json(head)); }

std::string export_line(std::string_view journal, std::string_view key, const RowText& row) {
  json::object fields;
  for (const auto& [name, value] : row.fields()) fields[name] = value;
  const json::value line = {{"row", {{"journal", journal}, {"key", key}, {"fields", std::move(fields)}}}};
  return json::serialize(line);
}

Result<Verification> verify_export(std::istream& file, const Trusted& trusted) {
  std::optional<Verifier> verifier;
  std::string line(kMaxExportLine, '\0');
  std::uint64_t number = 0;
  while (file.getline(line.data(), static_cast<std::streamsize>(line.size()))) {
    const std::string_view text(line.data());
    ++number;
    if (!verifier) {
      verifier.emplace(text == export_header() ? Scope::store : Scope::log);
      verifier->expect(trusted);
      if (text == export_header()) continue;
    }
    if (const Status taken = take_line(*verifier, text); !taken.ok()) {
      return invalid("line " + std::to_string(number) + ": " + taken.error().detail);
    }
  }
  if (file.bad()) return unavailable("the file could not be read");
  if (!file.eof()) return too_large("line " + std::to_string(number + 1) + " is too long");
  if (!verifier) return invalid("the file is empty");
  return verifier->finish();
}

}  // namespace imprimatur::journal
