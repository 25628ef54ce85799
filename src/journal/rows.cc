#include "journal/rows.h"

#include "base/hash.h"

#include <algorithm>
#include <tuple>

namespace imprimatur::journal {
namespace {

constexpr std::size_t kPlaces = 32;  // bits of ReplayedRow::changed

}  // namespace

RowText& RowText::set(std::string_view field, std::string_view value) {
  // A line feed would begin another field.
  if (value.find('\n') != value.npos) return set(field, "lines of sha256:" + to_hex(sha256(value)));
  std::string line = std::string(field) + "=";
  std::size_t begin = 0, end = 0;
  while (begin < text_.size()) {
    const std::string_view there = std::string_view(text_).substr(begin);
    end = begin + std::min(there.size(), there.find('\n') + 1);
    if (there.starts_with(line)) break;
    if (there.substr(0, there.find('=')) > field) {
      end = begin;
      break;
    }
    begin = end;
  }
  line.append(value).push_back('\n');
  text_.replace(begin, end - begin, line);
  return *this;
}

RowText& RowText::set(std::string_view field, std::int64_t value) {
  return set(field, std::to_string(value));
}

std::vector<std::pair<std::string_view, std::string_view>> RowText::fields() const {
  std::vector<std::pair<std::string_view, std::string_view>> out;
  std::string_view rest = text_;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const std::size_t sign = line.find('=');
    if (sign != line.npos) out.emplace_back(line.substr(0, sign), line.substr(sign + 1));
  }
  return out;
}

std::string_view RowText::get(std::string_view field) const {
  for (const auto& [name, value] : fields()) {
    if (name == field) return value;
  }
  return {};
}

std::string row_key(std::string_view table, std::string_view id) {
  return std::string(table).append(" ").append(id);
}

std::string row_key(std::string_view table, std::string_view id, std::int64_t number) {
  return row_key(table, id) + " " + std::to_string(number);
}

std::string joined(std::vector<std::string> items) {
  std::sort(items.begin(), items.end());
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out.push_back(',');
    for (const char c : items[i]) {
      if (c == ',' || c == '\\') out.push_back('\\');
      out.push_back(c);
    }
  }
  return out;
}

void ReplayedRow::set(std::string text, std::uint64_t entry) {
  if (seq != 0) {
    if (first == 0) first = seq;
    const RowText before(std::move(value)), after(text);
    const auto old = before.fields(), now = after.fields();
    for (std::size_t i = 0; i < now.size() && i < kPlaces; ++i) {
      if (i >= old.size() || old[i] != now[i]) changed |= std::uint32_t{1} << i;
    }
  }
  value = std::move(text);
  seq = entry;
  stored = false;
}

std::uint64_t ReplayedRow::entry_of(std::size_t place) const {
  const bool later = place >= kPlaces || (changed >> place & 1) != 0;
  return later || first == 0 ? seq : first;
}

namespace {

Mismatch difference(const std::string& key, const ReplayedRow& replayed, const std::string& table) {
  const RowText by_events(replayed.value), stored(table);
  Mismatch out{replayed.seq, {}};
  std::size_t place = 0;
  for (const auto& [field, value] : by_events.fields()) {
    const std::uint64_t entry = replayed.entry_of(place++);
    const std::string_view other = stored.get(field);
    if (other == value) continue;
    out.seq = std::min(out.seq, entry);
    out.what.append(out.what.empty() ? key + ": " : "; ").append(field).append(" is \"").append(other);
    out.what.append("\" in the table and \"").append(value).append("\" by the journal");
  }
  if (out.what.empty()) out.what = key + " has fields that the journal does not know";
  return out;
}

}  // namespace

std::set<std::string> served_by(std::string_view key, std::string_view text) {
  const std::string_view table = key.substr(0, key.find(' '));
  std::string_view id = key.substr(std::min(key.size(), table.size() + 1));
  id = id.substr(0, id.find(' '));
  if (table == "version" || table == "artifact" || table == "label" || table == "retirement") {
    return {row_key("artifact", id)};
  }
  if (table == "release") return {row_key("artifact", RowText(std::string(text)).get("artifact"))};
  if (table == "environment" || table == "key" || table == "project") return {row_key(table, id)};
  return {};
}

std::vector<Mismatch> compare(const ReplayedRows& replayed, const TableRows& tables, std::size_t limit) {
  std::vector<Mismatch> out;
  for (const auto& [key, stored] : tables) {
    const auto by_events = replayed.find(key);
    if (by_events == replayed.end()) {
      out.push_back({0, key + " is in the table and no entry accounts for it", served_by(key, stored)});
    } else if (const std::string& told = by_events->second.value; told != stored) {
      Mismatch& found = out.emplace_back(difference(key, by_events->second, stored));
      found.doubtful = served_by(key, told);
      found.doubtful.merge(served_by(key, stored));
    }
  }
  for (const auto& [key, by_events] : replayed) {
    if (by_events.stored || tables.contains(key)) continue;
    out.push_back({by_events.seq, key + " is missing in the table", served_by(key, by_events.value)});
  }
  std::sort(out.begin(), out.end(), [](const Mismatch& a, const Mismatch& b) {
    return std::tie(a.seq, a.what) < std::tie(b.seq, b.what);
  });
  if (out.size() > limit) out.resize(limit);
  return out;
}

}  // namespace imprimatur::journal
