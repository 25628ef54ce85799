#include "store/group_journals.h"

#include "base/check.h"
#include "store/broken.h"

#include <algorithm>

namespace imprimatur::store {

GroupJournals::GroupJournals(Database& database, const std::vector<std::string>& names)
    : database_(database) {
  // std::map keeps them sorted, so that two groups never wait for each other.
  for (const std::string& name : names) ends_.emplace(name, End{});
  for (auto& [name, end] : ends_) end = lock(name);
}

GroupJournals::End GroupJournals::lock(const std::string& name) {
  const std::string sql = "SELECT size, last_hash, last_time, frontier FROM heads WHERE journal = ?" +
                          std::string(database_.for_update());
  const auto read = [&] {
    return database_.one(
        sql,
        [&](const Row& row) {
          End end;
          end.size = static_cast<std::uint64_t>(row.integer(0));
          const auto last_hash = hash_from_hex(row.text(1));
          if (!last_hash) throw DataBroken("the head of journal " + name + " cannot be read");
          end.last_hash = *last_hash;
          end.last_time = row.time(2);
          Result<journal::Frontier> frontier = journal::Frontier::from_text(row.text(3));
          if (!frontier.ok() || frontier.value().size != end.size) {
            throw DataBroken("the head of journal " + name + " cannot be read");
          }
          end.frontier = std::move(frontier).value();
          return end;
        },
        name);
  };
  if (std::optional<End> end = read()) return *std::move(end);
  database_.touch(
      "INSERT INTO heads (journal, size, last_hash, last_time, frontier, signature, public_key) "
      "VALUES (?, 0, ?, 0, ?, '', '') ON CONFLICT (journal) DO NOTHING",
      name, to_hex(Hash256{}), journal::Frontier{}.to_text());
  std::optional<End> end = read();
  CHECK(end.has_value(), "a head that was just written");
  return *std::move(end);
}

void GroupJournals::begin_command(std::vector<std::string> names) {
  command_ = std::move(names);
  command_first_ = entries_.size();
  before_command_.clear();
  for (const std::string& name : command_) before_command_.emplace(name, ends_.at(name));
}

void GroupJournals::undo_command() {
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(command_first_), entries_.end());
  for (auto& [name, end] : before_command_) ends_.at(name) = end;
}

Time GroupJournals::later_than_all(Time clock) const {
  Time time = clock;
  for (const std::string& name : command_) {
    time = std::max(time, Time{ends_.find(name)->second.last_time.micros + 1});
  }
  return time;
}

void GroupJournals::append(std::string_view journal, journal::Event event, Time now) {
  CHECK(std::ranges::find(command_, journal) != command_.end(), "append to a journal that was not locked");
  End& end = ends_.find(journal)->second;
  journal::Entry entry;
  entry.journal = journal;
  entry.seq = end.size + 1;
  entry.time = now;
  entry.event = std::move(event);
  entry.previous = end.last_hash;
  entry.hash = journal::hash_of(entry);
  database_.touch(
      "INSERT INTO entries (journal, seq, time, action, actor, resource, details, previous, hash) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      entry.journal, entry.seq, entry.time, entry.event.action, entry.event.actor, entry.event.resource,
      entry.event.details, to_hex(entry.previous), to_hex(entry.hash));
  end.size = entry.seq;
  end.last_hash = entry.hash;
  end.last_time = now;
  end.frontier.append(journal::leaf_of(entry));
  end.grew = true;
  entries_.push_back(std::move(entry));
}

void GroupJournals::write_heads(const journal::Signer& signer) {
  for (const auto& [name, end] : ends_) {
    if (!end.grew) continue;
    const std::string signature =
        signer.sign(journal::head_bytes(name, end.size, end.frontier.root(), end.last_hash));
    database_.touch(
        "UPDATE heads SET size = ?, last_hash = ?, last_time = ?, frontier = ?, signature = ?, public_key = "
        "? "
        "WHERE journal = ?",
        end.size, to_hex(end.last_hash), end.last_time, end.frontier.to_text(), to_base64(signature),
        to_base64(signer.public_key()), name);
  }
}

}  // namespace imprimatur::store
