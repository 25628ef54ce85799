// One event on its way into the replayed rows. For replay.cc and its parts.
#pragma once

#include "journal/details.h"
#include "journal/replay.h"

#include <array>
#include <initializer_list>
#include <string>
#include <string_view>

#include <boost/json.hpp>

namespace imprimatur::journal {

namespace json = boost::json;

class Step {
 public:
  Step(Replay& replay, const Entry& entry, const json::object& details)
      : replay_(replay), entry_(entry), details_(details), time_(to_rfc3339(entry.time)) {}

  Status run();

 private:
  Status organisation_created();
  Status user_created();
  Status user_changed();
  Status password_changed();
  Status nothing() { return Ok{}; }
  Status project_named();
  Status witness_added();
  Status witness_removed();
  Status member_changed();
  Status member_removed();
  Status team_created();
  Status service_account_created();
  Status service_account_changed();
  Status key_created();
  Status key_revoked();
  Status environment_changed();
  Status environment_proposed();
  Status artifact_created();
  Status version_saved();
  Status scan_recorded();
  Status review_submitted();
  Status review_moved();
  Status review_withdrawn() { return review_closed("withdrawn"); }
  Status review_rejected() { return review_closed("rejected"); }
  Status review_approved();
  Status review_reopened();
  Status review_commented();
  Status review_deployed();
  Status verdict_given();
  Status release_created() { return released("deploy", "superseded"); }
  Status release_rolled_back() { return released("roll_back", "rolled_back"); }
  Status version_retired();
  Status label_moved();
  Status check_reported();
  Status finding_accepted();
  Status checklist_answered();
  Status verdict_dismissed();
  Status owners_changed();
  Status owners_proposed();

  struct Rule {
    std::string_view action;
    Status (Step::*apply)();
  };
  static const std::array<Rule, 42> kRules;

  Result<std::string> text(std::string_view name) const { return member(details_, name); }
  // Copies members of the details into the row under their own names.
  Status copy(RowText& row, std::initializer_list<std::string_view> names) const;
  Status add(const std::string& key, const RowText& row);
  void put(const std::string& key, const RowText& row) { replay_.rows_[key].set(row.text(), entry_.seq); }
  Result<RowText> existing(const std::string& key) const;
  std::int64_t next(const std::string& of) { return ++replay_.counted_[of]; }
  Status moves();
  Status items(const std::string& review, std::int64_t cycle, const std::string& environment);
  Status item(const std::string& review, std::int64_t cycle, const std::string& environment,
              std::size_t index, const json::object& item);
  Result<RowText> present_cycle(std::initializer_list<std::string_view> states) const;
  Status review_closed(std::string_view state);
  Status released(std::string_view kind, std::string_view end_of_replaced);
  Status end_release(const std::string& id, std::string_view end);
  Status same_version(const json::object& object, std::string_view number_name) const;

  Replay& replay_;
  const Entry& entry_;
  const json::object& details_;
  const std::string time_;
};

}  // namespace imprimatur::journal
