#include "evidence/told.h"

#include "base/hash.h"
#include "base/json.h"
#include "journal/commitment.h"
#include "store/broken.h"
#include "store/cursor.h"
#include "store/identity_rows.h"
#include "store/journal_rows.h"

#include <algorithm>

#include <boost/json.hpp>

namespace imprimatur::evidence {

namespace json = boost::json;

std::string Told::text(std::string_view name) const {
  const json::value* value = details.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t Told::number(std::string_view name) const {
  const json::value* value = details.if_contains(name);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

Told told(journal::Entry entry) {
  const std::string place = "entry " + std::to_string(entry.seq) + " of journal " + entry.journal;
  if (journal::hash_of(entry) != entry.hash) throw store::DataBroken(place + " does not have its hash");
  json::object details = stored_object(entry.event.details, "the details of " + place);
  return {std::move(entry), std::move(details)};
}

std::vector<Told> told_about(store::Tx& tx, const std::string& journal, const std::string& resource,
                             std::uint64_t last) {
  std::vector<Told> out;
  store::AuditQuery query;
  query.journal = journal;
  query.resource = resource;
  store::PageRequest page{.limit = store::kMaxPage};
  do {
    auto some = store::audit(tx, query, page);
    if (!some.ok()) throw store::DataBroken("the entries about " + resource + ": " + some.error().detail);
    for (journal::Entry& entry : some->items) {
      if (entry.seq <= last) out.push_back(told(std::move(entry)));
    }
    page.cursor = some->next_cursor;
  } while (!page.cursor.empty());
  std::reverse(out.begin(), out.end());
  return out;
}

json::object words(const std::string& commitment, const std::string& salt, const std::string& text,
                   bool visible) {
  if (!salt.empty() && journal::commitment(salt, text) != commitment) {
    throw store::DataBroken("a text is not the one of its commitment " + commitment);
  }
  const bool shown = visible && !salt.empty();
  return {{"commitment", commitment},
          {"salt", shown ? json::value(salt) : json::value()},
          {"text", shown ? json::value(text) : json::value()}};
}

json::object actor(store::Tx& tx, const std::string& id) {
  const std::string name = store::display_of(tx, {id});
  return {{"id", id}, {"displayName", name == id ? json::value() : json::value(name)}};
}

Told naming(store::Tx& tx, const std::string& journal, const std::string& resource, std::string_view action,
            const std::string& name, std::uint64_t last) {
  for (Told& one : told_about(tx, journal, resource, last)) {
    if (one.entry.event.action != action) continue;
    require_digest(one.text("nameDigest"), name, "the name of " + resource);
    return std::move(one);
  }
  throw store::DataBroken("no entry tells of " + resource);
}

void require_digest(const std::string& digest, std::string_view text, const std::string& of) {
  if (digest != "sha256:" + to_hex(sha256(text))) throw store::DataBroken(of + " does not have its digest");
}

json::object stored_object(std::string_view text, const std::string& of) {
  constexpr JsonLimits kStored{.bytes = 64 * 1024 * 1024, .depth = 128, .values = 10'000'000};
  auto parsed = parse_json(text, kStored);
  if (!parsed.ok() || !parsed->is_object()) throw store::DataBroken(of + " is not readable");
  return std::move(parsed->get_object());
}

}  // namespace imprimatur::evidence
