// The journals of one group of commands, from their lock to their new signed heads.
#pragma once

#include "journal/entry.h"
#include "journal/merkle.h"
#include "journal/signing.h"
#include "store/database.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::store {

class GroupJournals {
 public:
  // Locks the journals named, in order, and reads where they end. Inside a write transaction.
  GroupJournals(Database& database, const std::vector<std::string>& names);

  // A command begins, with the journals it may append to; what it appends is kept or undone as a whole.
  void begin_command(std::vector<std::string> names);
  void undo_command();

  // Later than every entry of the command's journals, and not before `clock`.
  Time later_than_all(Time clock) const;
  void append(std::string_view journal, journal::Event event, Time now);
  std::size_t appended_by_command() const { return entries_.size() - command_first_; }

  // Writes the signed heads of the journals that grew.
  void write_heads(const journal::Signer& signer);
  const std::vector<journal::Entry>& entries() const { return entries_; }

 private:
  struct End {
    std::uint64_t size = 0;
    Hash256 last_hash{};
    Time last_time;
    journal::Frontier frontier;
    bool grew = false;
  };
  End lock(const std::string& name);

  Database& database_;
  std::map<std::string, End, std::less<>> ends_;
  std::vector<journal::Entry> entries_;  // of all journals, as they were appended
  std::vector<std::string> command_;
  std::map<std::string, End, std::less<>> before_command_;
  std::size_t command_first_ = 0;
};

}  // namespace imprimatur::store
