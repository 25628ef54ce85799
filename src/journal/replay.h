// What the events of a journal say the tables must hold: a pure projection.
#pragma once

#include "base/result.h"
#include "journal/entry.h"
#include "journal/rows.h"

#include <cstdint>
#include <map>
#include <string>

namespace imprimatur::journal {

class Replay {
 public:
  // Precondition: the entries come in order and belong to one journal. An error says why the event cannot
  // follow what came before; the rows are then of no use any more.
  Status apply(const Entry& entry);
  const ReplayedRows& rows() const { return rows_; }

 private:
  friend class Step;
  ReplayedRows rows_;
  std::map<std::string, std::string> live_;      // environment and artifact -> the release that is live
  std::map<std::string, std::int64_t> counted_;  // rows that are numbered, so far: verdicts of a review…
};

}  // namespace imprimatur::journal
