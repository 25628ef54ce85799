#include "journal/entry.h"

#include "base/json.h"
#include "journal/merkle.h"

#include <algorithm>
#include <array>
#include <optional>

#include <boost/json.hpp>

namespace imprimatur::journal {
namespace {

namespace json = boost::json;

const std::string kHashPrefix = "sha256:";
constexpr std::string_view kEntryTag = "imprimatur-entry-v1\n";
constexpr std::array<std::string_view, 9> kMembers = {
    "action", "actor", "details", "hash", "journal", "previousHash", "resource", "seq", "time"};

void append_member(std::string& out, std::string_view name, std::string_view text) {
  append_json_string(out, name);
  out.push_back(':');
  append_json_string(out, text);
  out.push_back(',');
}

std::string written(const Entry& entry, bool with_hash) {
  std::string out = "{";
  append_member(out, "action", entry.event.action);
  append_member(out, "actor", entry.event.actor.text);
  out += "\"details\":" + entry.event.details + ",";
  if (with_hash) append_member(out, "hash", kHashPrefix + to_hex(entry.hash));
  append_member(out, "journal", entry.journal);
  append_member(out, "previousHash", kHashPrefix + to_hex(entry.previous));
  append_member(out, "resource", entry.event.resource);
  out += "\"seq\":" + std::to_string(entry.seq) + ",";
  append_member(out, "time", to_rfc3339(entry.time));
  out.back() = '}';
  return out;
}

Result<std::string> text_member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return invalid_field(std::string(name), "must be a string");
  return std::string(value->get_string());
}

Result<Hash256> hash_member(const json::object& object, std::string_view name) {
  const std::string text = TRY(text_member(object, name));
  const auto hash =
      text.starts_with(kHashPrefix) ? hash_from_hex(text.substr(kHashPrefix.size())) : std::nullopt;
  if (!hash || kHashPrefix + to_hex(*hash) != text) {
    return invalid_field(std::string(name), "must be sha256: and 64 hexadecimal digits in lower case");
  }
  return *hash;
}

std::optional<json::value> canonical_object(std::string_view text) {
  auto parsed = parse_json(text);
  if (!parsed.ok() || !parsed->is_object()) return std::nullopt;
  const auto canonical = canonical_json(*parsed);
  if (!canonical.ok() || *canonical != text) return std::nullopt;
  return std::move(*parsed);
}

}  // namespace

std::string canonical_entry(const Entry& entry) { return written(entry, false); }

std::string exported_entry(const Entry& entry) { return written(entry, true); }

Hash256 hash_of(const Entry& entry) { return Sha256().add(kEntryTag).add(canonical_entry(entry)).finish(); }

Hash256 leaf_of(const Entry& entry) { return leaf_hash(bytes_of(entry.hash)); }

Result<Entry> entry_from_json(std::string_view text) {
  const json::value parsed = TRY(parse_json(text));
  if (!parsed.is_object()) return invalid("a journal entry must be an object");
  const json::object& object = parsed.get_object();
  for (const auto& member : object) {
    if (std::find(kMembers.begin(), kMembers.end(), std::string_view(member.key())) == kMembers.end()) {
      return invalid_field(member.key(), "is no member of a journal entry");
    }
  }
  Entry entry;
  entry.event.action = TRY(text_member(object, "action"));
  entry.event.actor.text = TRY(text_member(object, "actor"));
  entry.event.resource = TRY(text_member(object, "resource"));
  entry.journal = TRY(text_member(object, "journal"));
  entry.previous = TRY(hash_member(object, "previousHash"));
  const std::string time = TRY(text_member(object, "time"));
  entry.time = TRY(parse_rfc3339(time));
  const json::value* details = object.if_contains("details");
  if (details == nullptr || !details->is_object()) return invalid_field("details", "must be an object");
  entry.event.details = TRY(canonical_json(*details));
  const json::value* seq = object.if_contains("seq");
  if (seq == nullptr || !seq->is_int64() || seq->get_int64() < 1) {
    return invalid_field("seq", "must be a whole number from 1");
  }
  entry.seq = static_cast<std::uint64_t>(seq->get_int64());
  entry.hash = object.contains("hash") ? TRY(hash_member(object, "hash")) : hash_of(entry);
  return entry;
}

std::string misfit(const Entry* before, const Entry& entry, json::value* details) {
  const std::uint64_t expected = before == nullptr ? 1 : before->seq + 1;
  if (entry.seq != expected) {
    return "entry " + std::to_string(expected) + " is missing: entry " + std::to_string(entry.seq) +
           " follows";
  }
  if (before != nullptr && entry.journal != before->journal) {
    return "the entry belongs to the journal " + entry.journal;
  }
  if (before != nullptr && entry.time < before->time) return "the time is before that of the entry before it";
  if (entry.previous != (before == nullptr ? Hash256{} : before->hash)) {
    return "the previous hash is not the hash of the entry before it";
  }
  if (hash_of(entry) != entry.hash) return "the hash is not that of the entry's text";
  auto read = canonical_object(entry.event.details);
  if (!read) return "the details are not a canonical JSON object";
  if (details != nullptr) *details = *std::move(read);
  return {};
}

}  // namespace imprimatur::journal
