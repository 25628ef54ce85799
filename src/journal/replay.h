// What the events of a journal say the tables must hold: a pure projection.
#pragma once

#include "base/result.h"
#include "journal/entry.h"
#include "journal/rows.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include <boost/json/fwd.hpp>

namespace imprimatur::journal {

class Replay {
 public:
  // Precondition: the entries come in order and belong to one journal. An error says why the event cannot
  // follow what came before; the rows are then of no use any more.
  Status apply(const Entry& entry);
  // The same when its details were read before.
  Status apply(const Entry& entry, const boost::json::object& details);
  const ReplayedRows& rows() const { return rows_; }

  // Marks the row as stored when it is what the events so far give. False when it is not; `twice` when it was
  // marked before.
  bool accounts_for(const std::string& key, std::string_view text, bool& twice);

 private:
  friend class Step;
  ReplayedRows rows_;
  std::unordered_map<std::string, std::string> live_;  // environment and artifact -> the release that is live
  std::unordered_map<std::string, std::int64_t>
      counted_;  // rows that are numbered, so far: verdicts of a review…
};

}  // namespace imprimatur::journal
