#include "domain/diff.h"

#include "base/check.h"
#include "base/json.h"

#include <algorithm>
#include <memory>

#include <boost/json.hpp>
#include <git2.h>

namespace imprimatur {
namespace {

namespace json = boost::json;

constexpr int kContextLines = 3;
// Cells of the tables that align words, for a whole diff. Runs beyond it are one removed and one added word.
constexpr std::size_t kMaxWordCells = 4'000'000;

// libgit2 counts its users; the first one sets it up, and it stays until the process ends.
void start_libgit2() {
  static const int users = git_libgit2_init();
  CHECK(users > 0, "libgit2 does not start");
}

Error git_failed() {
  const git_error* error = git_error_last();
  return unavailable(std::string("the diff failed: ") +
                     (error != nullptr ? error->message : "out of memory"));
}

std::vector<std::size_t> line_starts(std::string_view text) {
  std::vector<std::size_t> starts{0};
  for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    starts.push_back(at + 1);
  }
  return starts;
}

Result<DiffHunk> read_hunk(git_patch* patch, std::size_t index) {
  const git_diff_hunk* raw = nullptr;
  std::size_t lines = 0;
  if (git_patch_get_hunk(&raw, &lines, patch, index) != 0) return git_failed();
  DiffHunk hunk{raw->old_start, raw->old_lines, raw->new_start, raw->new_lines, {}};
  for (std::size_t i = 0; i < lines; ++i) {
    const git_diff_line* line = nullptr;
    if (git_patch_get_line_in_hunk(&line, patch, index, i) != 0) return git_failed();
    const bool marker = line->origin == GIT_DIFF_LINE_CONTEXT_EOFNL ||
                        line->origin == GIT_DIFF_LINE_ADD_EOFNL || line->origin == GIT_DIFF_LINE_DEL_EOFNL;
    if (marker) continue;
    std::string_view text(line->content, line->content_len);
    const bool line_feed = text.ends_with('\n');
    if (line_feed) text.remove_suffix(1);
    hunk.lines.push_back({line->origin, std::max(line->old_lineno, 0), std::max(line->new_lineno, 0),
                          std::string(text), line_feed});
  }
  return hunk;
}

Result<std::vector<DiffHunk>> line_hunks(std::string_view from, std::string_view to) {
  start_libgit2();
  git_diff_options options = GIT_DIFF_OPTIONS_INIT;
  options.context_lines = kContextLines;
  options.flags = GIT_DIFF_FORCE_TEXT | GIT_DIFF_PATIENCE | GIT_DIFF_INDENT_HEURISTIC;
  git_patch* made = nullptr;
  if (git_patch_from_buffers(&made, from.data(), from.size(), nullptr, to.data(), to.size(), nullptr,
                             &options) != 0) {
    return git_failed();
  }
  const std::unique_ptr<git_patch, void (*)(git_patch*)> patch(made, git_patch_free);
  std::vector<DiffHunk> hunks;
  for (std::size_t i = 0; i < git_patch_num_hunks(patch.get()); ++i) {
    hunks.push_back(TRY(read_hunk(patch.get(), i)));
  }
  return hunks;
}

struct Word {
  std::size_t begin, end;
};

enum class CharClass { word, space, other };

CharClass class_of(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x80 || c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
      (c >= 'A' && c <= 'Z')) {
    return CharClass::word;
  }
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' ? CharClass::space : CharClass::other;
}

// Words, runs of white space, and single other characters; together they are the whole range.
std::vector<Word> words_of(std::string_view text, std::size_t begin, std::size_t end) {
  std::vector<Word> words;
  while (begin < end) {
    const CharClass kind = class_of(text[begin]);
    std::size_t stop = begin + 1;
    if (kind != CharClass::other) {
      while (stop < end && class_of(text[stop]) == kind) ++stop;
    }
    words.push_back({begin, stop});
    begin = stop;
  }
  return words;
}

// The texts of both sides and what may still be spent on aligning them.
struct Sides {
  std::string_view from, to;
  std::size_t cells = kMaxWordCells;

  std::string_view old_word(const Word& word) const { return from.substr(word.begin, word.end - word.begin); }
  std::string_view new_word(const Word& word) const { return to.substr(word.begin, word.end - word.begin); }
};

// Runs that touch are one; their text is taken when all are known.
void add_run(std::vector<DiffWord>& out, char origin, std::size_t begin, std::size_t end) {
  if (!out.empty() && out.back().origin == origin && out.back().end == begin) {
    out.back().end = end;
  } else {
    out.push_back({origin, begin, end, {}});
  }
}

// Longest common subsequence by the usual table. What is common at both ends is taken off first.
void align(std::vector<DiffWord>& out, std::vector<Word> old_words, std::vector<Word> new_words,
           Sides& sides) {
  const auto same = [&](const Word& a, const Word& b) { return sides.old_word(a) == sides.new_word(b); };
  std::size_t head = 0;
  while (head < old_words.size() && head < new_words.size() && same(old_words[head], new_words[head])) ++head;
  std::size_t tail = 0;
  while (tail < old_words.size() - head && tail < new_words.size() - head &&
         same(old_words[old_words.size() - 1 - tail], new_words[new_words.size() - 1 - tail])) {
    ++tail;
  }
  const std::size_t rows = old_words.size() - head - tail, columns = new_words.size() - head - tail;
  const auto old_at = [&](std::size_t i) -> const Word& { return old_words[head + i]; };
  const auto new_at = [&](std::size_t j) -> const Word& { return new_words[head + j]; };
  if (rows == 0 || columns == 0 || (rows + 1) * (columns + 1) > sides.cells) {
    if (rows > 0) add_run(out, '-', old_at(0).begin, old_at(rows - 1).end);
    if (columns > 0) add_run(out, '+', new_at(0).begin, new_at(columns - 1).end);
    return;
  }
  sides.cells -= (rows + 1) * (columns + 1);
  std::vector<std::uint32_t> longest((rows + 1) * (columns + 1), 0);
  const auto cell = [&](std::size_t i, std::size_t j) -> std::uint32_t& {
    return longest[i * (columns + 1) + j];
  };
  for (std::size_t i = rows; i-- > 0;) {
    for (std::size_t j = columns; j-- > 0;) {
      cell(i, j) =
          same(old_at(i), new_at(j)) ? cell(i + 1, j + 1) + 1 : std::max(cell(i + 1, j), cell(i, j + 1));
    }
  }
  std::size_t i = 0, j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && same(old_at(i), new_at(j))) {
      ++i, ++j;
    } else if (j == columns || (i < rows && cell(i + 1, j) >= cell(i, j + 1))) {
      add_run(out, '-', old_at(i).begin, old_at(i).end);
      ++i;
    } else {
      add_run(out, '+', new_at(j).begin, new_at(j).end);
      ++j;
    }
  }
}

// The words of each group of changed lines: what lies between two lines of context.
std::vector<DiffWord> changed_words(const std::vector<DiffHunk>& hunks, std::string_view from,
                                    std::string_view to) {
  std::vector<DiffWord> out;
  Sides sides{from, to};
  const std::vector<std::size_t> from_starts = line_starts(from), to_starts = line_starts(to);
  for (const DiffHunk& hunk : hunks) {
    for (std::size_t i = 0; i < hunk.lines.size();) {
      std::vector<Word> old_words, new_words;
      for (; i < hunk.lines.size() && hunk.lines[i].origin != ' '; ++i) {
        const DiffLine& line = hunk.lines[i];
        const bool removed = line.origin == '-';
        const std::size_t begin = removed ? from_starts[static_cast<std::size_t>(line.from_line - 1)]
                                          : to_starts[static_cast<std::size_t>(line.to_line - 1)];
        const std::size_t end = begin + line.text.size() + (line.line_feed ? 1 : 0);
        for (const Word& word : words_of(removed ? from : to, begin, end)) {
          (removed ? old_words : new_words).push_back(word);
        }
      }
      align(out, std::move(old_words), std::move(new_words), sides);
      while (i < hunk.lines.size() && hunk.lines[i].origin == ' ') ++i;
    }
  }
  for (DiffWord& word : out)
    word.text = (word.origin == '-' ? from : to).substr(word.begin, word.end - word.begin);
  return out;
}

const Variable* named(const std::vector<Variable>& all, const std::string& name) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Variable& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

void compare_variables(VersionDiff& out, const Content& from, const Content& to) {
  for (const Variable& before : from.variables) {
    const Variable* after = named(to.variables, before.name);
    if (after == nullptr) {
      out.variables_removed.push_back(before);
    } else if (*after != before) {
      out.variables_changed.push_back({before, *after});
    }
  }
  for (const Variable& after : to.variables) {
    if (named(from.variables, after.name) == nullptr) out.variables_added.push_back(after);
  }
}

void append_indented(std::string& out, const json::value& value, const std::string& indent) {
  const std::string inner = indent + "  ";
  std::string_view separator = "\n";
  if (value.is_object() && !value.get_object().empty()) {
    out += "{";
    for (const auto& member : value.get_object()) {
      out.append(separator).append(inner);
      append_json_string(out, member.key());
      out += ": ";
      append_indented(out, member.value(), inner);
      separator = ",\n";
    }
    out += "\n" + indent + "}";
  } else if (value.is_array() && !value.get_array().empty()) {
    out += "[";
    for (const json::value& item : value.get_array()) {
      out.append(separator).append(inner);
      append_indented(out, item, inner);
      separator = ",\n";
    }
    out += "\n" + indent + "]";
  } else {
    out += canonical_json(value).value();
  }
}

// A line a rule, so that the one that changed is seen.
std::string rules_of(const Content& policy) {
  std::string out = policy.text;
  if (!out.empty() && !out.ends_with('\n')) out.push_back('\n');
  if (policy.config.empty()) return out;
  append_indented(out, parse_json(policy.config).value(), "");
  return out + "\n";
}

}  // namespace

std::string flattened(const Content& content) {
  if (content.kind == ArtifactKind::policy) return rules_of(content);
  switch (content.type) {
    case ContentType::text: return content.text;
    case ContentType::chat: {
      std::string out;
      for (const Message& message : content.messages) {
        // A line feed of our own even behind one of the author's, so that adding one shows.
        out += "--- " + std::string(name_of(message.role)) + " ---\n" + message.content + "\n";
      }
      return out;
    }
  }
  CHECK(false, "unknown content type");
}

Result<VersionDiff> diff(const Content& from, const Content& to) {
  VersionDiff out;
  const std::string from_text = flattened(from), to_text = flattened(to);
  out.hunks = TRY(line_hunks(from_text, to_text));
  out.words = changed_words(out.hunks, from_text, to_text);
  compare_variables(out, from, to);
  out.model_before = from.model;
  out.model_after = to.model;
  out.model_changed = from.model != to.model;
  const auto field = [&](bool changed, const char* name) {
    if (changed) out.fields_changed.emplace_back(name);
  };
  field(from.name != to.name, "name");
  field(from.kind != to.kind, "kind");
  field(from.type != to.type, "type");
  field(from.semver != to.semver, "semver");
  field(from.text != to.text, "content");
  field(from.messages != to.messages, "messages");
  field(from.config != to.config, "config");
  field(from.tools != to.tools, "tools");
  field(from.output_schema != to.output_schema, "outputSchema");
  field(from.layers != to.layers, "layers");
  field(from.lock != to.lock, "lock");
  out.bump = required_bump(from, to);
  return out;
}

}  // namespace imprimatur
