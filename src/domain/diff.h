// What changed between two versions.
#pragma once

#include "base/result.h"
#include "domain/content.h"
#include "domain/semver.h"

#include <string>
#include <string_view>
#include <vector>

namespace imprimatur {

struct DiffLine {
  char origin = ' ';  // ' ' context, '-' removed, '+' added
  int from_line = 0;  // 1-based, 0 where there is none
  int to_line = 0;
  std::string text;       // without its line feed
  bool line_feed = true;  // false on a last line that has none
};

struct DiffHunk {
  int from_start = 0, from_lines = 0, to_start = 0, to_lines = 0;
  std::vector<DiffLine> lines;
};

// A run of words that was removed or added in changed lines; cutting the removed runs out of `from` and
// putting the added ones in gives `to`. Offsets are bytes into the flattened text.
struct DiffWord {
  char origin = ' ';
  std::size_t begin = 0, end = 0;  // in `from` for '-', in `to` for '+'
  std::string text;
};

struct VariableChange {
  Variable before, after;
};

struct VersionDiff {
  std::vector<DiffHunk> hunks;
  std::vector<DiffWord> words;
  std::vector<Variable> variables_added, variables_removed;
  std::vector<VariableChange> variables_changed;
  std::optional<ModelBinding> model_before, model_after;
  bool model_changed = false;
  std::vector<std::string>
      fields_changed;  // wire names of the fields that differ, without variables and model
  Bump bump = Bump::none;
};

// The text itself, or the messages one after another under "--- role ---" lines; of a policy its words, then
// its rules as indented JSON.
std::string flattened(const Content& content);
// Line hunks by libgit2 (histogram-like patience), three lines of context; words within changed hunks.
Result<VersionDiff> diff(const Content& from, const Content& to);

}  // namespace imprimatur
