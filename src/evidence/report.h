// The changes of a period as lines, each of which can be tested by itself.
#pragma once

#include "domain/records.h"
#include "store/journal_rows.h"
#include "store/store.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace imprimatur::evidence {

struct Told;
struct Made;

// What the report is about, and what its reader may see.
struct ReportScope {
  store::Head head;
  std::string note;  // of the head
  std::string project;
  Environment environment;
  std::optional<Time> since, until;     // from `since` on, before `until`
  std::uint64_t first = 1, behind = 0;  // entries of the period
  bool words_visible = false;
};

struct ReportLine {
  boost::json::object fields;
  std::string text;  // as canonical JSON
};

// Reads a thousand entries at a time and stops behind 4 MiB of lines, so that it needs little memory however
// long the period is. For one thread.
class Report {
 public:
  Report(store::Store& store, ReportScope scope);

  // The next lines in order: first what the report is about (section "report"), last how much it held
  // (section "end"). None behind that. Unavailable when the store cannot be read, or does not hold what the
  // journal says.
  Result<std::vector<ReportLine>> next();

 private:
  std::vector<ReportLine> some(store::Tx& tx);
  std::optional<boost::json::object> line_of(store::Tx& tx, const Told& one);
  boost::json::object change(store::Tx& tx, const Told& one);
  void add_reasons(store::Tx& tx, boost::json::object& line, const Made& made);
  // What somebody wrote, where the reader may see it. Throws DataBroken when it is not what the entry has.
  boost::json::value said(const Told& by, std::string_view member, const std::string& salt,
                          const std::string& text) const;
  ReportLine begin() const;
  ReportLine end() const;
  bool of_another_environment(const Told& one) const;

  store::Store& store_;
  const ReportScope scope_;
  std::uint64_t next_;
  enum class Stage { begin, lines, done } stage_ = Stage::begin;
  std::map<std::string, std::int64_t> counted_;  // lines of each section
};

// The section that an action belongs to; empty for what changes nothing that is live, nor who may change it.
// An action that is not known here has a section of its own: what is new is shown rather than missed.
std::string section_of(const std::string& action);

}  // namespace imprimatur::evidence
